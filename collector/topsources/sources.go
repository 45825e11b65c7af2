// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"cmp"
	"slices"
	"time"
)

// Sources are the sources of the packets of one prefix.
type Sources struct {
	tracker *Tracker
	prefix  string
	current pane
	number  int64 // of the current pane

	before struct { // the pane before
		counters []counter
		bound    uint32 // of packets of a source without a counter
		packets  uint64
		distinct distinct
	}

	series []series
}

// A series is a counter that a source has for as long as it is shown as a time series.
type series struct {
	address address
	base    int64 // and the packets of its counter
	created time.Time
	heavy   time.Time // when the source was last heavy
}

func newSources(t *Tracker, prefix string) *Sources {
	s := &Sources{tracker: t, prefix: prefix, number: t.pane}
	s.current.counters = make([]counter, 0, spareCounters+t.sources)
	s.current.lowest = make([]uint8, 0, spareCounters+t.sources)
	s.before.counters = make([]counter, 0, prevCounters)
	return s
}

// count counts a packet.
func (s *Sources) count(a address, length uint32, ports uint64) {
	t := s.tracker
	if s.number != t.pane {
		s.advance()
	}
	p := &s.current
	hash := t.seed.hash(a)
	p.packets++
	p.distinct.add(hash)
	var c *counter
	if i := p.find(a, hash); i >= 0 {
		c = &p.counters[i]
	} else {
		c = p.take(a, hash)
	}
	c.packets++
	c.bytes += uint64(length)
	c.ports |= ports
	c.first, c.last = min(c.first, t.second), t.second
}

// advance begins the pane that it is time for. Series end only here: a source that has one keeps its counter for the pane, so that
// the bound of errors holds.
func (s *Sources) advance() {
	t, p, b := s.tracker, &s.current, &s.before
	s.series = slices.DeleteFunc(s.series, func(e series) bool {
		if t.now.Sub(e.heavy) < keepTime {
			return false
		}
		t.series--
		return true
	})
	for i := range s.series {
		e := &s.series[i]
		e.base += int64(p.counters[p.find(e.address, t.seed.hash(e.address))].packets)
	}
	if s.number == t.pane-1 {
		b.counters, b.bound = p.heaviest(b.counters)
		b.packets, b.distinct = p.packets, p.distinct
	} else {
		b.counters, b.bound, b.packets, b.distinct = b.counters[:0], 0, 0, distinct{}
	}
	p.clear()
	for i := range s.series {
		a := s.series[i].address
		p.take(a, t.seed.hash(a)).flags |= pinned
	}
	s.number = t.pane
}

// A total is what is known of a source in the window.
type total struct {
	address
	certain, most, bytes uint64
	ports                uint64
	first, last          time.Time // zero if it has sent nothing for sure
}

// totals returns all sources that have a counter, those first that have certainly sent most. Each may have sent as many packets less
// than most as the bound says.
func (s *Sources) totals() (totals []total, bound uint64) {
	t := s.tracker
	p, b := &s.current, &s.before
	currentBound := p.bound()
	var seen [len(p.heads)]bool // counters of the current pane
	totals = make([]total, 0, len(b.counters)+len(p.counters))
	for i := range b.counters {
		c := &b.counters[i]
		of := total{address: c.address()}
		of.add(c, t.began.Add(-paneLen))
		if j := p.find(of.address, t.seed.hash(of.address)); j >= 0 {
			seen[j] = true
			of.add(&p.counters[j], t.began)
		} else {
			of.most += uint64(currentBound)
		}
		totals = append(totals, of)
	}
	for i := range p.counters {
		if !seen[i] {
			of := total{address: p.counters[i].address(), most: uint64(b.bound)}
			of.add(&p.counters[i], t.began)
			totals = append(totals, of)
		}
	}
	slices.SortFunc(totals, func(a, b total) int {
		return cmp.Or(cmp.Compare(b.certain, a.certain), cmp.Compare(b.most, a.most), cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
	})
	return totals, uint64(currentBound) + uint64(b.bound)
}

// add adds a counter of a pane that began then.
func (of *total) add(c *counter, began time.Time) {
	of.certain += uint64(c.certain())
	of.most += uint64(c.packets)
	of.bytes += c.bytes
	of.ports |= c.ports
	if c.certain() > 0 {
		if of.first.IsZero() {
			of.first = began.Add(time.Duration(c.first) * time.Second)
		}
		of.last = began.Add(time.Duration(c.last) * time.Second)
	}
}

func (s *Sources) packets() uint64 { return s.current.packets + s.before.packets }

// share returns which share of the packets a source has certainly sent.
func (s *Sources) share(of *total) float64 { return float64(of.certain) / float64(max(s.packets(), 1)) }

// updateSeries gives heavy sources a series, and takes note of which have been heavy.
func (s *Sources) updateSeries(totals []total) {
	t := s.tracker
	for i := range totals {
		of := &totals[i]
		if of.certain == 0 || s.share(of) < keepShare {
			break
		}
		if j := slices.IndexFunc(s.series, func(e series) bool { return e.address == of.address }); j >= 0 {
			s.series[j].heavy = t.now
			continue
		}
		if s.share(of) >= minShare && of.certain >= minPackets && len(s.series) < t.sources && t.series < MaxSeries {
			s.begin(of)
		}
	}
}

// begin gives a source a series, which begins with the packets that it has certainly sent in the window.
func (s *Sources) begin(of *total) {
	t, p := s.tracker, &s.current
	hash := t.seed.hash(of.address)
	i := p.find(of.address, hash)
	if i < 0 {
		p.take(of.address, hash)
		i = p.find(of.address, hash)
	}
	c := &p.counters[i]
	c.flags |= pinned
	s.series = append(s.series, series{of.address, int64(of.certain) - int64(c.packets), of.first, t.now})
	t.series++
}
