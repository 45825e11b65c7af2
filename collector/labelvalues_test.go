// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestLabelValuesEqual checks that different packets with the same label values are counted together.
func TestLabelValuesEqual(t *testing.T) {
	f := newFeed(t, Config{})
	f.names.rename(12, "eth0") // as if interface 2 was deleted, and its name used again
	for range 2 {
		f.count(
			udpInput("a", 2, 100),
			udpInput("a ", 2, 100),
			udpInput("a \t\n", 2, 100),
			udpInput("a", 12, 100),
			udpInput(" a", 2, 100),
		)
	}
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}:  {8, 800},
		{" a", "ip", "input", "eth0", "", "udp"}: {2, 200},
	})
}

// TestLabelValuesLongPrefix checks that the longest prefixes that the kernel sends differ to their last byte.
func TestLabelValuesLongPrefix(t *testing.T) {
	f := newFeed(t, Config{})
	long := strings.Repeat("x", 126)
	f.count(udpInput(long, 0, 100), udpInput(long+"y", 0, 100), udpInput(long+"z", 0, 100), udpInput(long+"y", 0, 100))
	f.check(t, map[defaultValues]total{
		{long, "ip", "input", "", "", "udp"}:       {1, 100},
		{long + "y", "ip", "input", "", "", "udp"}: {2, 200},
		{long + "z", "ip", "input", "", "", "udp"}: {1, 100},
	})
}

// TestLabelValuesInterfaceNotUTF8 checks that the name of an interface is escaped if it is not UTF-8, which Linux allows.
// Prometheus would refuse the whole scrape.
func TestLabelValuesInterfaceNotUTF8(t *testing.T) {
	c := newCollector(t)
	f := feedGroup(c, 0)
	f.names.rename(2, "v\xff")
	f.names.rename(3, `v\xff`)
	f.count(udpInput("", 2, 28))
	f.count(udpInput("", 3, 28))
	var got []string
	for _, m := range gather(t, c)["nflog_packets_total"] {
		for _, l := range m.GetLabel() {
			if l.GetName() == "in_interface" {
				got = append(got, l.GetValue())
			}
		}
	}
	if diff := cmp.Diff([]string{`v\\xff`, `v\xff`}, got); diff != "" {
		t.Errorf("unexpected interfaces (-want +got):\n%s", diff)
	}
}

// TestLabelValuesInterfacePatterns checks that the first pattern that matches renames an interface, and that label sets of
// renamed interfaces do not expire with one of them.
func TestLabelValuesInterfacePatterns(t *testing.T) {
	var patterns []prefix.InterfacePattern
	for _, p := range [][2]string{{"veth.*", "veth"}, {"(cali|lxc).*", "${1}"}, {"v.*", "never"}, {"tap(?P<more>x?)", "${more}"}, {"tap", "never"}} {
		pattern, err := prefix.NewInterfacePattern(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, pattern)
	}
	f := newFeed(t, Config{InterfacePatterns: patterns, DeletedInterfaceTimeout: time.Minute})
	f.names.names = map[uint32]string{1: "veth1", 2: "veth2", 3: "cali123", 4: "lxc", 5: "xveth", 6: "eth0", 7: "tap"}
	for device := range uint32(7) {
		f.count(udpInput("", device+1, 100))
	}
	want := map[defaultValues]total{
		{"", "ip", "input", "veth", "", "udp"}:  {2, 200},
		{"", "ip", "input", "cali", "", "udp"}:  {1, 100},
		{"", "ip", "input", "lxc", "", "udp"}:   {1, 100},
		{"", "ip", "input", "xveth", "", "udp"}: {1, 100},
		{"", "ip", "input", "eth0", "", "udp"}:  {1, 100},
		{"", "ip", "input", "tap", "", "udp"}:   {1, 100},
	}
	f.check(t, want)
	// All but eth0 and tap are deleted. Of those, only xveth was not renamed.
	f.names.names = map[uint32]string{6: "eth0", 7: "tap"}
	f.check(t, want)
	f.now = f.now.Add(time.Hour)
	delete(want, defaultValues{"", "ip", "input", "xveth", "", "udp"})
	f.check(t, want)
}
