// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// allProtocols returns a packet of each transport protocol, and a tagged frame of each EtherType. Three of those are of unknown
// protocol: IPv4 and IPv6 without a packet, and ARP without one.
func allProtocols() []nflogtest.Message {
	var all []nflogtest.Message
	for p := range 256 {
		m := udpInput("a", 2, 100)
		m.Payload = nflogtest.Unhex(nflogtest.IPv4Header("0054", fmt.Sprintf("%02x", p)))
		all = append(all, m)
	}
	for e := range 1 << 16 {
		all = append(all, nflogtest.Message{Family: 7, HWProtocol: 0x8100, Prefix: "a", InDev: 2, Payload: nflogtest.Unhex(fmt.Sprintf("0005 %04x", e))})
	}
	return all
}

// TestProtocols counts packets of all protocols with lists of those that go by name.
func TestProtocols(t *testing.T) {
	const ofIP, ofFrames = 256, 1 << 16
	messages := allProtocols()
	count := func(protocols []string) map[string]uint64 {
		t.Helper()
		f := newFeed(t, Config{Labels: []string{"protocol"}, Protocols: protocols, MaxLabelSets: 2 * ofFrames})
		for batch := range slices.Chunk(messages, 1000) {
			f.count(batch...)
		}
		got := make(map[string]uint64)
		for _, set := range f.snapshot().sets {
			got[f.labelsOf(set.series)["protocol"]] = set.packets
		}
		// All frames have the same origin, so no frame of another protocol adds a key.
		if f.table.keys.used > 2*len(got)+1 {
			t.Errorf("%d keys for %d label sets", f.table.keys.used, len(got))
		}
		return got
	}

	got := count([]string{"tcp", "61", "0x88cc"})
	// Third tags are not followed, so that they are other protocols.
	want := map[string]uint64{"tcp": 1, "61": 1, "0x88cc": 1}
	want["unknown"] = got["unknown"]
	want["other"] = ofIP + ofFrames - 3 - got["unknown"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("some protocols: unexpected packets (-want +got):\n%s", diff)
	}

	byDefault := count(nil)
	values := slices.Sorted(maps.Keys(byDefault))
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(DefaultProtocols(), "other", "unknown"))), values); diff != "" {
		t.Errorf("default protocols: unexpected values (-want +got):\n%s", diff)
	}

	all := count([]string{AllProtocols})
	if all["other"] != 0 || len(all) < ofFrames {
		t.Errorf("all protocols: %d values, %d packets of others", len(all), all["other"])
	}
}

// TestProtocolsNotSelected checks that packets of all protocols have the same key if the label is not selected.
func TestProtocolsNotSelected(t *testing.T) {
	f := newFeed(t, Config{Labels: []string{"prefix"}, Protocols: []string{AllProtocols}})
	for batch := range slices.Chunk(allProtocols(), 1000) {
		f.count(batch...)
	}
	if f.table.keys.used > 4 {
		t.Errorf("%d keys, want one for each origin, and one more for unknown protocols", f.table.keys.used)
	}
}

func TestProtocolsRefused(t *testing.T) {
	for _, names := range [][]string{{"TCP"}, {"tcp", "all"}, {"6"}, {"unknown"}, {"other"}, {""}} {
		_, err := New(Config{Groups: []GroupConfig{{Group: 100}}, Protocols: names})
		if err == nil {
			t.Errorf("no error for the protocols %q", names)
		}
	}
}
