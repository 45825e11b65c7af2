// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"net/netip"
	"time"
)

const (
	// idleTime is how long an address has not come that makes room for others.
	idleTime = 15 * time.Minute

	// searchInterval is how often such addresses are searched for at most.
	searchInterval = 10 * time.Second

	// epochLen is the unit of the times when addresses came last.
	epochLen = time.Minute
)

// shownAddresses are the addresses that values show.
type shownAddresses struct {
	set     *Set
	ids     map[netip.Addr]ID
	entries []shownAddress // by ID
	free    []ID
	counts  []int // of addresses, by network; nil if no network shows addresses

	started  time.Time // of epoch 0
	epoch    uint32
	full     bool // an address found no room
	searched time.Time
}

type shownAddress struct {
	addr    netip.Addr // not valid in a free entry
	network ID
	used    uint32 // the last epoch in which it came
}

func newShownAddresses(set *Set) shownAddresses {
	s := shownAddresses{set: set, ids: make(map[netip.Addr]ID)}
	for _, n := range set.networks {
		if n.maxAddresses > 0 {
			s.counts = make([]int, len(set.networks))
		}
	}
	return s
}

func (s *shownAddresses) entry(id ID) *shownAddress { return &s.entries[id-firstAddress] }

// touch takes note that an address came.
func (s *shownAddresses) touch(id ID) { s.entry(id).used = s.epoch }

// show returns the ID of an address in a network that shows addresses.
func (s *shownAddresses) show(addr netip.Addr, network ID) ID {
	if id, ok := s.ids[addr]; ok {
		return id
	}
	count := &s.counts[network-firstNetwork]
	if *count >= s.set.network(network).maxAddresses {
		s.full = true
		return overflow
	}
	*count++
	id := firstAddress + ID(len(s.entries))
	if n := len(s.free); n > 0 {
		id, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.entries = append(s.entries, shownAddress{})
	}
	*s.entry(id) = shownAddress{addr, network, s.epoch}
	s.ids[addr] = id
	return id
}

// makeRoom is [Resolver.MakeRoom].
func (s *shownAddresses) makeRoom(now time.Time) (removed []string) {
	if s.counts == nil {
		return nil
	}
	if s.started.IsZero() {
		s.started = now
	}
	s.epoch = uint32(max(0, now.Sub(s.started)/epochLen))
	if !s.full || now.Sub(s.searched) < searchInterval {
		return nil
	}
	s.searched = now
	for i := range s.entries {
		e := &s.entries[i]
		if e.addr.IsValid() && time.Duration(s.epoch-e.used)*epochLen > idleTime {
			removed = append(removed, e.addr.String())
			s.counts[e.network-firstNetwork]--
			delete(s.ids, e.addr)
			s.free = append(s.free, firstAddress+ID(i))
			*e = shownAddress{}
		}
	}
	if removed != nil {
		s.full = false
	}
	return removed
}
