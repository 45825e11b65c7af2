// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "testing"

// allProtocols returns the protocols of all packets but those of unknown protocol.
func allProtocols() []Protocol {
	var all []Protocol
	for p := range Protocol(256) {
		all = append(all, p)
	}
	for e := range Protocol(1 << 16) {
		all = append(all, protocolEtherType|e)
	}
	return all
}

// TestParseProtocol checks that each protocol is found by its value of the label, and nothing else is.
func TestParseProtocol(t *testing.T) {
	for _, p := range allProtocols() {
		if got, ok := ParseProtocol(p.String()); !ok || got != p {
			t.Errorf("%q is protocol %#x (%v), want %#x", p.String(), uint32(got), ok, uint32(p))
		}
	}
	for _, value := range []string{
		"", "unknown", "other", "all", "TCP", " tcp", "tcp ", "6", "06", "+61", "061", "256", "-1", "0x", "0x1", "0x0806", "0x88CC", "0X88cc",
		"0x088cc", "0x10000", "0x+8cc", "ether",
	} {
		if p, ok := ParseProtocol(value); ok {
			t.Errorf("%q is protocol %#x", value, uint32(p))
		}
	}
}

func TestProtocolSet(t *testing.T) {
	var none, some, all ProtocolSet
	for _, p := range []Protocol{0, protocolTCP, 255, protocolARP, protocolEtherType, protocolEtherType | 0xffff} {
		some.Add(p)
	}
	all.AddAll()
	shown := make(map[Protocol]int)
	for _, p := range allProtocols() {
		if got := none.Shown(p); got != ProtocolOther {
			t.Errorf("an empty set shows %v as %v", p, got)
		}
		if got := all.Shown(p); got != p {
			t.Errorf("the set of all shows %v as %v", p, got)
		}
		got := some.Shown(p)
		if got != p && got != ProtocolOther {
			t.Errorf("%v is shown as %v", p, got)
		}
		shown[got]++
	}
	if len(shown) != 7 || shown[ProtocolOther] != 256+1<<16-6 {
		t.Errorf("%d values, %d protocols are other", len(shown), shown[ProtocolOther])
	}
	for _, s := range []*ProtocolSet{&none, &some, &all} {
		if got := s.Shown(protocolUnknown); got != protocolUnknown {
			t.Errorf("an unknown protocol is shown as %v", got)
		}
	}
}
