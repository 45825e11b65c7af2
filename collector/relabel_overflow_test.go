// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestRelabelOverflow adds and removes labels while packets overflow. The label set of full overflow keeps its count. Of the
// others, only those with a value for a removed label are forgotten.
func TestRelabelOverflow(t *testing.T) {
	const o = overflowValue
	zones := prefix.Rule{Match: `fw (?P<zone>\w+)`}
	f := newFeed(t, Config{Labels: []string{"prefix", "in_interface"}, MaxLabelSets: 10})
	fill := func() {
		t.Helper()
		for i := range 15 {
			f.count(udpInput(fmt.Sprintf("p%02d", i), 2, 100))
		}
		f.count(udpInput("fw wan", 2, 100), udpInput("fw lan", 2, 100))
	}
	known := func(packets float64) map[string]scraped {
		want := make(map[string]scraped)
		for i := range 10 {
			want[fmt.Sprintf("in_interface=eth0,prefix=p%02d", i)] = scraped{packets: packets}
		}
		want["in_interface="+o+",prefix=p10"] = scraped{packets: packets}
		return want
	}
	check := func(name string, overflow uint64, want map[string]scraped, names ...string) {
		t.Helper()
		checkScraped(t, name, want, f.scrape(t, append(names, "in_interface", "prefix")...))
		if got := f.snapshot().overflow; got != overflow {
			t.Errorf("%s: %v packets were counted under %s, want %v", name, got, o, overflow)
		}
	}

	fill()
	want := known(1)
	want["in_interface="+o+",prefix="+o] = scraped{packets: 6}
	check("full", 7, want)

	// The label set of full overflow has the value __overflow__ for a new label, too.
	f.reload(t, zones)
	want = known(1)
	want["in_interface="+o+",prefix="+o+",zone="+o] = scraped{packets: 6}
	check("a new label", 7, want, "zone")
	fill()
	want = known(2)
	want["in_interface="+o+",prefix="+o+",zone="+o] = scraped{packets: 12}
	check("full with a new label", 14, want, "zone")

	f.reload(t, prefix.Rule{Match: `p1(?P<zone>\d)`})
	check("the same labels", 14, want, "zone")
	fill()
	// p10 has a zone now. It replaces the stale label set of p10 without a zone.
	want = known(3)
	delete(want, "in_interface="+o+",prefix=p10")
	want["in_interface="+o+",prefix=p10,zone=0"] = scraped{1, 2}
	want["in_interface="+o+",prefix="+o+",zone="+o] = scraped{packets: 18}
	check("full with the same labels", 21, want, "zone")

	f.reload(t)
	want = known(3)
	delete(want, "in_interface="+o+",prefix=p10")
	want["in_interface="+o+",prefix="+o] = scraped{packets: 18}
	check("without the label", 21, want)
	fill()
	want = known(4)
	want["in_interface="+o+",prefix=p10"] = scraped{1, 3}
	want["in_interface="+o+",prefix="+o] = scraped{packets: 24}
	check("full without the label", 28, want)
}
