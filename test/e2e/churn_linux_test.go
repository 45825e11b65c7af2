// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationChurn makes, renames and deletes 500 interfaces several times while packets leave by each of them. The counts
// have the right names, label sets of deleted interfaces go, and memory does not grow.
func TestIntegrationChurn(t *testing.T) {
	const (
		interfaces = 500
		rounds     = 3
		timeout    = time.Second     // for the label sets of deleted interfaces
		late       = 5 * time.Second // how much later they may go
		maxGrowth  = 8 << 20
	)
	ns := kerneltest.NS(t)
	links := newLinkMaker(t, ns)
	rs := nftrules.New(ns)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "", nftrules.UDPPort(discard))
	must(t, rs.Apply())
	e := startBinary(t, ns, built(t, released),
		"--collector.labels=out_interface", fmt.Sprintf("--collector.deleted-interface-timeout=%v", timeout))

	var indexes atomic.Pointer[[]int]
	indexes.Store(new([]int))
	stop, stopped := make(chan struct{}), make(chan error, 1)
	sender := newBroadcaster(t, ns)
	go func() { stopped <- sender.run(stop, func() []int { return *indexes.Load() }) }()

	var memory int
	for round := range rounds {
		for i := range interfaces / 2 {
			must(t, links.pair(fmt.Sprintf("old%d", i)))
		}
		all, err := links.all()
		must(t, err)
		if len(all) != interfaces {
			t.Fatalf("%d interfaces are there, want %d", len(all), interfaces)
		}
		indexes.Store(indexesOf(all))
		// Each has its name, and nothing remains of earlier interfaces with these names.
		e.eventually(t, bookTimeout, func(s scrape) error {
			if n := countNames(t, s.sumBy("nflog_packets_total", "out_interface"), "old"); n != interfaces {
				return fmt.Errorf("packets are counted under %d names, want %d", n, interfaces)
			}
			return nil
		})

		for _, ifi := range all {
			must(t, links.rename(uint32(ifi.Index), "new"+strings.TrimPrefix(ifi.Name, "old")))
		}
		renamed := time.Now()
		var first, last map[string]uint64
		// Either name is right until renameLag is over or the exporter knows all new names.
		e.eventually(t, bookTimeout, func(s scrape) error {
			first = s.sumBy("nflog_packets_total", "out_interface")
			if n := countNames(t, first, "new"); n < interfaces && time.Since(renamed) < renameLag {
				return fmt.Errorf("packets are counted under %d new names, want %d", n, interfaces)
			}
			return nil
		})
		e.eventually(t, bookTimeout, func(s scrape) error {
			last = s.sumBy("nflog_packets_total", "out_interface")
			if n := countNames(t, last, "new"); n != interfaces {
				return fmt.Errorf("packets are counted under %d new names, want %d", n, interfaces)
			}
			for name, packets := range last {
				if strings.HasPrefix(name, "new") && packets == first[name] {
					return fmt.Errorf("no more packets are counted under %s", name)
				}
			}
			return nil
		})
		for name, packets := range first {
			now, ok := last[name] // or its label set is gone
			if ok && strings.HasPrefix(name, "old") && now != packets {
				t.Errorf("%d packets were counted under %s when the exporter had to know the new name, and %d later", packets, name, now)
			}
		}

		must(t, links.deleteAll())
		indexes.Store(new([]int))
		gone := time.Now()
		e.eventually(t, bookTimeout, func(s scrape) error { return s.expect(0, "nflog_label_sets") })
		// One scrape finds that the interfaces are gone, and one after the timeout drops the label sets.
		if took, most := time.Since(gone), timeout+late; took > most {
			t.Errorf("the last label set went after %v, want at most %v", took, most)
		}
		s := e.mustScrape(t)
		if err := s.expect(0, "nflog_overflow_packets_total"); err != nil {
			t.Error(err)
		}
		now := e.memory(t, "VmRSS")
		t.Logf("round %d: %.1f MiB", round, float64(now)/(1<<20))
		switch {
		case round == 0:
			memory = now
		case now > memory+maxGrowth:
			t.Errorf("the exporter uses %.1f MiB after %d rounds, and used %.1f MiB after the first", float64(now)/(1<<20), round+1, float64(memory)/(1<<20))
		}
	}
	close(stop)
	must(t, <-stopped)
	packets, _, err := rule.Count()
	must(t, err)
	s := e.mustScrape(t)
	if err := s.expect(0, "nflog_lost_packets_total"); err != nil {
		t.Error(err)
	}
	t.Logf("%d packets were logged", packets)
}

func indexesOf(ifis []net.Interface) *[]int {
	var indexes []int
	for _, ifi := range ifis {
		indexes = append(indexes, ifi.Index)
	}
	return &indexes
}

// countNames returns how many of the names begin with prefix. It fails the test if a name is not that of an interface.
func countNames(t *testing.T, packets map[string]uint64, prefix string) int {
	t.Helper()
	n := 0
	for name := range packets {
		switch {
		case strings.HasPrefix(name, prefix):
			n++
		case !strings.HasPrefix(name, "old") && !strings.HasPrefix(name, "new"):
			t.Fatalf("packets are counted under %q, but no interface has that name", name)
		}
	}
	return n
}
