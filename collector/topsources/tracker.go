// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"math/rand/v2"
	"time"
)

// A Config configures a [Tracker].
type Config struct {
	Sources    int      // shown for each prefix, 1 to MaxSources
	IPv6Length int      // bits by which sources of IPv6 are told apart, 1 to 128; 0 for 64
	Ports      []uint16 // that have a class of their own
}

// A Tracker finds the heaviest sources of each prefix of a group. One goroutine may use it, and its Sources, at a time.
type Tracker struct {
	sources int
	mask    mask
	ports   *portClasses
	seed    seed

	prefixes map[string]*Sources
	others   *Sources // of prefixes beyond MaxPrefixes; nil before the first
	series   int      // of all Sources

	started, now time.Time
	began        time.Time // the current pane
	pane         int64     // its number
	second       uint8     // in it
}

// New returns a Tracker without packets, whose time begins at now.
func New(config Config, now time.Time) *Tracker {
	if config.IPv6Length == 0 {
		config.IPv6Length = DefaultIPv6Length
	}
	return &Tracker{
		sources:  config.Sources,
		mask:     newMask(config.IPv6Length),
		ports:    newPortClasses(config.Ports),
		seed:     seed{rand.Uint64(), rand.Uint64()},
		prefixes: make(map[string]*Sources),
		started:  now,
		now:      now,
		began:    now,
	}
}

// DefaultIPv6Length is the length of the network that a host or site usually has.
const DefaultIPv6Length = 64

// Advance sets the time. It must be called before packets that come later are counted, and before a report.
func (t *Tracker) Advance(now time.Time) {
	if !now.After(t.now) {
		return
	}
	t.now = now
	age := now.Sub(t.started)
	t.pane = int64(age / paneLen)
	t.began = t.started.Add(time.Duration(t.pane) * paneLen)
	t.second = uint8(age % paneLen / time.Second)
}

// Of returns the sources of the packets with a prefix. others is the prefix in place of those that find no room.
func (t *Tracker) Of(prefix, others string) *Sources {
	s := t.prefixes[prefix]
	switch {
	case s != nil:
		return s
	case len(t.prefixes) < MaxPrefixes:
		s = newSources(t, prefix)
		t.prefixes[prefix] = s
		return s
	case t.others == nil:
		t.others = newSources(t, others)
	}
	return t.others
}

// A Packet is what counts of a packet beside its source.
type Packet struct {
	Length  uint32 // in bytes
	Port    uint16 // its destination
	HasPort bool
}

func (t *Tracker) portsOf(p Packet) uint64 {
	if !p.HasPort {
		return 0
	}
	return t.ports.bit(p.Port)
}

// CountIPv4 counts a packet from an address.
func (s *Sources) CountIPv4(source uint32, p Packet) {
	s.count(address{lo: uint64(source)}, p.Length, s.tracker.portsOf(p))
}

// CountIPv6 counts a packet from an address.
func (s *Sources) CountIPv6(source *[16]byte, p Packet) {
	s.count(s.tracker.mask.address(source), p.Length, s.tracker.portsOf(p))
}

// All returns the sources of all prefixes that had packets in the window, or have series. Others are forgotten, and must not be used
// any more: forgot says whether there were any.
func (t *Tracker) All() (all []*Sources, forgot bool) {
	for prefix, s := range t.prefixes {
		if s.isIdle() {
			delete(t.prefixes, prefix)
			forgot = true
			continue
		}
		all = append(all, s)
	}
	switch {
	case t.others == nil:
	case t.others.isIdle():
		t.others, forgot = nil, true
	default:
		all = append(all, t.others)
	}
	return all, forgot
}

// isIdle reports whether nothing is known any more.
func (s *Sources) isIdle() bool {
	if s.number != s.tracker.pane {
		s.advance()
	}
	return s.packets() == 0 && len(s.series) == 0
}
