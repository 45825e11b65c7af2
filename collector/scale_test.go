// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// A markFlood has datagrams of packets with many marks. With the label mark, each mark makes a label set.
type markFlood struct {
	marks     int
	datagrams [][]byte
}

// newMarkFlood returns a flood with that many packets of each mark, of different sizes.
func newMarkFlood(marks, packets int) *markFlood {
	const perDatagram = 1000
	f := &markFlood{marks: marks}
	var datagram []byte
	for i := range marks * packets {
		m := udpInput("fw drop: ", 2, benchmarkSizes[i%len(benchmarkSizes)])
		// A multiplication by an odd number keeps marks different, and puts them in no order.
		m.Group, m.Seq, m.Mark = 100, uint32(i), 2654435761*uint32(i/packets+1)
		datagram = m.Append(datagram)
		if (i+1)%perDatagram == 0 || i+1 == marks*packets {
			f.datagrams = append(f.datagrams, nflogtest.Done(datagram))
			datagram = nil
		}
	}
	return f
}

// newMarkFeed returns a feed with the label mark, that takes up to a million label sets.
func newMarkFeed(t testing.TB) *feed {
	return newFeed(t, Config{Labels: append(DefaultLabels(), "mark"), MaxLabelSets: 1_000_000})
}

// count counts all packets.
func (m *markFlood) count(f *feed) {
	for _, d := range m.datagrams {
		f.countDatagram(d)
	}
}

// fastest returns the least time that a function takes, of three times. Its argument is prepared before.
func fastest[T any](prepare func() T, fn func(T)) time.Duration {
	least := time.Duration(1<<63 - 1)
	for range 3 {
		prepared := prepare()
		began := time.Now()
		fn(prepared)
		least = min(least, time.Since(began))
	}
	return least
}

// TestScaleCreation checks that a label set costs about the same to make, and a packet the same to count, however many label sets
// there are. Costs that grow with their number would be ten times as high, or hundreds of times.
func TestScaleCreation(t *testing.T) {
	if testing.Short() || kerneltest.RaceEnabled() {
		t.Skip("measures time, of millions of packets")
	}
	perMark := func(marks int) (creation, look time.Duration) {
		flood := newMarkFlood(marks, 1)
		creation = fastest(func() *feed { return newMarkFeed(t) }, flood.count)
		filled := newMarkFeed(t)
		flood.count(filled)
		if s := filled.snapshot(); len(s.sets) != marks || s.overflow != 0 {
			t.Fatalf("%d label sets, want %d", len(s.sets), marks)
		}
		look = fastest(func() *feed { return filled }, flood.count)
		return creation / time.Duration(marks), look / time.Duration(marks)
	}
	// Others on the machine may slow down one try. More memory than the caches hold makes each look-up slower, once.
	const creationRatio, lookRatio = 5, 20
	for range 5 {
		creation, look := perMark(10_000)
		creation10, look10 := perMark(100_000)
		t.Logf("10,000 label sets: %v to make, %v to find; 100,000: %v, %v", creation, look, creation10, look10)
		if creation10 < creationRatio*creation && look10 < lookRatio*look {
			return
		}
	}
	t.Error("label sets cost more to make or to find the more there are")
}

// manyRules returns prefix rules that match nothing, but take their time. They make a label.
func manyRules() []prefix.Rule {
	var rules []prefix.Rule
	for i := range 20 {
		rules = append(rules, prefix.Rule{Match: fmt.Sprintf(`.*z(?P<zone>%d\w+)x`, i)})
	}
	return rules
}

// heldUp says for how long something held up others at most.
type heldUp struct{ reader, scrape, state time.Duration }

// longest runs a function, and notes for how long it holds up others.
func (h *heldUp) longest(c *Collector, fn func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	watch := func(longest *time.Duration, mu *sync.Mutex) {
		wg.Go(func() {
			for {
				*longest = max(*longest, waitFor(mu))
				select {
				case <-done:
					return
				case <-time.After(100 * time.Microsecond):
				}
			}
		})
	}
	watch(&h.reader, &c.groups[0].table.mu)
	watch(&h.scrape, &c.gatherer.mu)
	watch(&h.state, &c.mu)
	fn()
	close(done)
	wg.Wait()
}

// waitFor returns how long it took to get a lock.
func waitFor(mu *sync.Mutex) time.Duration {
	began := time.Now()
	mu.Lock()
	defer mu.Unlock()
	return time.Since(began)
}

// TestScaleReload checks that a reload that takes long holds up nothing for most of that.
func TestScaleReload(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time, of 30,000 label sets")
	}
	const prefixes = 30_000
	f := newFeed(t, Config{MaxLabelSets: prefixes})
	for i := range prefixes {
		f.count(udpInput(fmt.Sprintf("fw zone%d drop: ", i), 2, 100))
	}
	var held heldUp
	// What takes the processor may hold up one try.
	for try := range 5 {
		held = heldUp{}
		began := time.Now()
		held.longest(f.collector, func() { mustReload(t, f.collector, []GroupConfig{{Group: 100}}, manyRules()[try:]...) })
		took := time.Since(began)
		t.Logf("a reload of %v held up %+v", took, held)
		if s := f.snapshot(); len(s.sets) != prefixes {
			t.Fatalf("%d label sets are left, want %d", len(s.sets), prefixes)
		}
		if max(held.reader, held.scrape, held.state) < took/2 {
			return
		}
	}
	t.Errorf("each of five reloads held something up for half its time, the last %+v", held)
}
