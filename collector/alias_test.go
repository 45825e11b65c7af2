// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAliases checks that packets are counted by the aliases that their interfaces have when they come, escaped.
func TestAliases(t *testing.T) {
	f := newFeed(t, Config{Labels: []string{"in_alias", "out_alias"}})
	f.names.aliases = map[uint32]string{2: "uplink \x1b", 3: "__overflow__"}
	forwarded := udpInput("", 2, 100)
	forwarded.Hook, forwarded.OutDev = 2, 3
	f.count(udpInput("", 1, 100), udpInput("", 2, 100), forwarded)
	f.names.aliases[2] = "LAN"
	f.names.renames++
	f.count(forwarded, forwarded)

	got := make(map[[2]string]uint64)
	for _, set := range f.snapshot().sets {
		labels := f.labelsOf(set.series)
		got[[2]string{labels["in_alias"], labels["out_alias"]}] = set.packets
	}
	want := map[[2]string]uint64{
		{"", ""}:                           1,
		{`uplink \x1b`, ""}:                1,
		{`uplink \x1b`, `\x5f_overflow__`}: 1,
		{"LAN", `\x5f_overflow__`}:         2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected packets by aliases (-want +got):\n%s", diff)
	}
}
