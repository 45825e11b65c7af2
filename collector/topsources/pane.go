// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"cmp"
	"math"
	"slices"
)

// A counter counts the packets of a source in a pane. There are tens of thousands of them, so it is small: 48 bytes. No
// kernel logs 2³² packets in a pane.
type counter struct {
	hi, lo  uint64 // of the address
	bytes   uint64 // since the source has the counter
	ports   uint64 // classes of destination ports, by bit
	packets uint32 // with those of sources that had the counter before
	over    uint32 // how many of packets may be of others

	next        uint8 // counter with the same hash, see pane.heads
	first, last uint8 // when packets came, in seconds since the beginning of the pane
	flags       uint8
	bucket      uint8 // of heads
}

// Flags of a counter.
const (
	ipv6   = 1 << iota
	pinned // the source has a series, and so keeps the counter
)

func (c *counter) address() address { return address{c.hi, c.lo, c.flags&ipv6 != 0} }

func (c *counter) is(a address) bool {
	return c.hi == a.hi && c.lo == a.lo && (c.flags&ipv6 != 0) == a.ipv6
}

// certain returns how many packets the source has sent at least.
func (c *counter) certain() uint32 { return c.packets - c.over }

// A pane has the heaviest sources of some time.
type pane struct {
	counters []counter // its capacity is how many there may be
	heads    [256]uint8
	lowest   []uint8 // counters that had min packets when they were searched for
	min      uint32  // no source without a counter has sent more
	packets  uint64
	distinct distinct
}

// find returns the index of the counter of an address with a hash, or -1. Numbers in heads and next are one more than the index.
func (p *pane) find(a address, hash uint64) int {
	for i := int(p.heads[uint8(hash)]); i != 0; {
		c := &p.counters[i-1]
		if c.is(a) {
			return i - 1
		}
		i = int(c.next)
	}
	return -1
}

// take returns a counter for an address that has none. If there is none left, that is the one with the fewest packets, which it takes
// over.
func (p *pane) take(a address, hash uint64) *counter {
	i := len(p.counters)
	if i < cap(p.counters) {
		p.counters = append(p.counters, counter{})
	} else {
		i = p.victim()
		p.unlink(i)
	}
	c := &p.counters[i]
	head := &p.heads[uint8(hash)]
	c.hi, c.lo, c.bytes, c.ports, c.over = a.hi, a.lo, 0, 0, c.packets
	c.next, c.first, c.last, c.flags, c.bucket = *head, math.MaxUint8, 0, 0, uint8(hash)
	if a.ipv6 {
		c.flags = ipv6
	}
	*head = uint8(i + 1)
	return c
}

// victim returns the index of a counter with the fewest packets, except those that are pinned. Each search finds a higher number
// than the one before, which packets have reached in all counters. So searches take no longer than one step for each packet,
// whatever comes.
func (p *pane) victim() int {
	for {
		for n := len(p.lowest); n > 0; n-- {
			i := p.lowest[n-1]
			p.lowest = p.lowest[:n-1]
			if c := &p.counters[i]; c.packets == p.min && c.flags&pinned == 0 {
				return int(i)
			}
		}
		p.min = math.MaxUint32
		for i := range p.counters {
			c := &p.counters[i]
			if c.flags&pinned != 0 || c.packets > p.min {
				continue
			}
			if c.packets < p.min {
				p.min, p.lowest = c.packets, p.lowest[:0]
			}
			p.lowest = append(p.lowest, uint8(i))
		}
	}
}

// unlink removes a counter from those with its hash.
func (p *pane) unlink(i int) {
	at := &p.heads[p.counters[i].bucket]
	for int(*at) != i+1 {
		at = &p.counters[*at-1].next
	}
	*at = p.counters[i].next
}

// bound returns how many packets a source without a counter has sent at most.
func (p *pane) bound() uint32 {
	if len(p.counters) < cap(p.counters) {
		return 0
	}
	least := uint32(math.MaxUint32)
	for i := range p.counters {
		if c := &p.counters[i]; c.flags&pinned == 0 {
			least = min(least, c.packets)
		}
	}
	return least
}

// heaviest copies the heaviest counters to others, and returns how many packets a source that has none there has sent at most.
func (p *pane) heaviest(to []counter) (copied []counter, bound uint32) {
	slices.SortFunc(p.counters, func(a, b counter) int { return cmp.Compare(b.packets, a.packets) })
	bound = p.bound()
	n := min(len(p.counters), cap(to))
	if n < len(p.counters) {
		bound = max(bound, p.counters[n].packets)
	}
	return append(to[:0], p.counters[:n]...), bound
}

// clear makes the pane empty.
func (p *pane) clear() {
	p.counters, p.lowest = p.counters[:0], p.lowest[:0]
	p.min, p.packets = 0, 0
	clear(p.heads[:])
	clear(p.distinct[:])
}
