// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/gaissmai/bart"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A Resolver finds the network of an address. One goroutine may use it at a time.
type Resolver struct {
	set        *Set
	table      *bart.Table[ID] // of the set, and of interfaces
	interfaces [][]netip.Prefix

	// blocks has the IDs of addresses of IPv4 by their first byte, where all with that byte have the same: none where they have
	// not. Most classes have.
	blocks [256]ID

	// The caches have the IDs of addresses that came last, by hash. They have a few thousand, as long lists of networks make each
	// look-up miss the processor's caches.
	cache4 []cached4
	cache6 []cached6
	shown  shownAddresses
}

type cached4 struct {
	addr uint32
	id   ID // none in a free slot
}

type cached6 struct {
	hi, lo uint64
	id     ID // none in a free slot
}

// cacheBits is the logarithm of how many addresses a cache has.
const cacheBits = 12

// NewResolver returns a Resolver for the networks of a set.
func NewResolver(set *Set) *Resolver {
	r := &Resolver{
		set:        set,
		table:      set.table,
		interfaces: make([][]netip.Prefix, len(set.followed)),
		cache4:     make([]cached4, 1<<cacheBits),
		cache6:     make([]cached6, 1<<cacheBits),
		shown:      newShownAddresses(set),
	}
	r.blocks = blocks(set, r.table)
	return r
}

// blocks returns the IDs by first byte.
func blocks(set *Set, table *bart.Table[ID]) (ids [256]ID) {
	for i := range ids {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i)}), 8)
		id, ok := table.LookupPrefix(block)
		if !ok {
			id = other
		}
		for p := range table.Subnets(block) {
			if p != block {
				id = none
				break
			}
		}
		if !set.byAddress(id) {
			ids[i] = id
		}
	}
	return ids
}

// Set returns the networks.
func (r *Resolver) Set() *Set { return r.set }

// IPv4 returns what stands for the value of an address. It allocates nothing, except for an address that is shown for the first
// time.
func (r *Resolver) IPv4(addr uint32) ID {
	if id := r.blocks[addr>>24]; id != none {
		return id
	}
	c := &r.cache4[addr*0x9e3779b1>>(32-cacheBits)]
	if c.addr != addr || c.id == none {
		*c = cached4{addr, r.find(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(make([]byte, 0, 4), addr))))}
	}
	if c.id >= firstAddress {
		r.shown.touch(c.id)
	}
	return c.id
}

// IPv6 does the same.
func (r *Resolver) IPv6(addr *[16]byte) ID {
	hi, lo := binary.NativeEndian.Uint64(addr[:8]), binary.NativeEndian.Uint64(addr[8:])
	h := (hi ^ hi>>32 ^ bits.RotateLeft64(lo, 32)) * 0x9e3779b97f4a7c15
	c := &r.cache6[(h^lo*0xd6e8feb86659fd93)>>(64-cacheBits)]
	if c.hi != hi || c.lo != lo || c.id == none {
		*c = cached6{hi, lo, r.find(netip.AddrFrom16(*addr))}
	}
	if c.id >= firstAddress {
		r.shown.touch(c.id)
	}
	return c.id
}

// ID returns what stands for the value of an address.
func (r *Resolver) ID(addr netip.Addr) ID {
	if addr.Is4() {
		b := addr.As4()
		return r.IPv4(binary.BigEndian.Uint32(b[:]))
	}
	b := addr.As16()
	return r.IPv6(&b)
}

func (r *Resolver) clearCaches() {
	clear(r.cache4)
	clear(r.cache6)
}

func (r *Resolver) find(addr netip.Addr) ID {
	id, ok := r.table.Lookup(addr)
	switch {
	case !ok:
		return other
	case r.set.byAddress(id):
		return r.shown.show(addr, id)
	default:
		return id
	}
}

// Value returns the value that an ID stands for, "" for 0.
func (r *Resolver) Value(id ID) string {
	switch {
	case id == none:
		return ""
	case id == other:
		return Other
	case id == overflow:
		return prefix.Overflow
	case id < firstAddress:
		return r.set.network(id).value
	default:
		return r.shown.entry(id).addr.String()
	}
}

// MakeRoom removes addresses that did not come for 15 minutes, if a network shows as many as it may. It returns those. IDs that were
// returned before are not valid then. It looks for them once in 10 seconds at most, and must be called from time to time.
func (r *Resolver) MakeRoom(now time.Time) []string {
	removed := r.shown.makeRoom(now)
	if len(removed) > 0 {
		r.clearCaches()
	}
	return removed
}

// Interfaces has the networks of interfaces, see ifname.Names.
type Interfaces interface {
	Networks(name string) []netip.Prefix
}

// Follow takes over the networks that interfaces have now. IDs that were returned before are not valid then.
func (r *Resolver) Follow(interfaces Interfaces) {
	changed := false
	for i, f := range r.set.followed {
		if networks := interfaces.Networks(f.name); !slices.Equal(networks, r.interfaces[i]) {
			r.interfaces[i], changed = networks, true
		}
	}
	if changed {
		r.table = r.set.with(r.interfaces)
		r.renew(&r.shown)
	}
}

// Inherit takes over the networks of interfaces from a Resolver, and the addresses that it shows, where they are by address, so
// that a network never shows more than it may.
func (r *Resolver) Inherit(from *Resolver) {
	for i, f := range r.set.followed {
		if j := slices.IndexFunc(from.set.followed, func(g followed) bool { return g.name == f.name }); j >= 0 {
			r.interfaces[i] = from.interfaces[j]
		}
	}
	r.table = r.set.with(r.interfaces)
	r.renew(&from.shown)
}

// renew prepares look-ups in another table, and shows those of some addresses that networks still show.
func (r *Resolver) renew(from *shownAddresses) {
	r.blocks = blocks(r.set, r.table)
	r.clearCaches()
	shown := newShownAddresses(r.set)
	shown.epoch, shown.started, shown.searched = from.epoch, from.started, from.searched
	for i := range from.entries {
		e := &from.entries[i]
		if id, ok := r.table.Lookup(e.addr); e.addr.IsValid() && ok && r.set.byAddress(id) {
			if id := shown.show(e.addr, id); id >= firstAddress {
				shown.entry(id).used = e.used
			}
		}
	}
	r.shown = shown
}
