// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProtocolString(t *testing.T) {
	tests := []struct {
		protocol Protocol
		want     string
	}{
		{protocol: 0, want: "hopopt"},
		{protocol: 1, want: "icmp"},
		{protocol: 4, want: "ipv4"},
		{protocol: 6, want: "tcp"},
		{protocol: 17, want: "udp"},
		{protocol: 47, want: "gre"},
		{protocol: 50, want: "esp"},
		{protocol: 58, want: "icmpv6"},
		{protocol: 59, want: "59"},
		{protocol: 61, want: "61"},
		{protocol: 89, want: "ospfigp"},
		{protocol: 124, want: "isis-over-ipv4"},
		{protocol: 132, want: "sctp"},
		{protocol: 135, want: "mobility-header"},
		{protocol: 147, want: "bit-emu"},
		{protocol: 148, want: "148"},
		{protocol: 253, want: "253"},
		{protocol: 255, want: "255"},
		{protocol: 256, want: "256"},
		{protocol: protocolARP, want: "arp"},
		{protocol: protocolEtherType | 0x88cc, want: "0x88cc"},
		{protocol: protocolEtherType | 0x0842, want: "0x0842"},
		{protocol: protocolEtherType, want: "0x0000"},
		{protocol: protocolEtherType | 0xffff, want: "0xffff"},
		{protocol: protocolUnknown, want: "unknown"},
		{protocol: ProtocolOther, want: "other"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.protocol.String()); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProtocolNames checks that each protocol has its own name, in lower case.
func TestProtocolNames(t *testing.T) {
	all := []Protocol{protocolARP, protocolUnknown, ProtocolOther}
	for p := range Protocol(256) {
		all = append(all, p)
	}
	seen := make(map[string]Protocol)
	for _, p := range all {
		name := p.String()
		if other, ok := seen[name]; ok {
			t.Errorf("%d and %d are both called %q", other, p, name)
		}
		seen[name] = p
		if strings.ToLower(name) != name || strings.ContainsAny(name, " ()") {
			t.Errorf("%d is called %q", p, name)
		}
	}
}
