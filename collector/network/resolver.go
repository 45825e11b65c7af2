// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"encoding/binary"
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

	// cache has the IDs of addresses that came last, by hash. It has a few thousand, as long lists of networks make each look-up
	// miss the processor's caches.
	cache []cached
	shown shownAddresses
}

type cached struct {
	addr netip.Addr
	id   ID
}

// cacheSize is a power of two.
const cacheSize = 2048

// NewResolver returns a Resolver for the networks of a set.
func NewResolver(set *Set) *Resolver {
	return &Resolver{
		set:        set,
		table:      set.table,
		interfaces: make([][]netip.Prefix, len(set.followed)),
		cache:      make([]cached, cacheSize),
		shown:      newShownAddresses(set),
	}
}

// Set returns the networks.
func (r *Resolver) Set() *Set { return r.set }

// ID returns what stands for the value of an address. It allocates nothing, except for an address that is shown for the first
// time.
func (r *Resolver) ID(addr netip.Addr) ID {
	c := &r.cache[hash(addr)%cacheSize]
	if c.addr != addr {
		*c = cached{addr, r.find(addr)}
	}
	if c.id >= firstAddress {
		r.shown.touch(c.id)
	}
	return c.id
}

// hash returns a hash of an address.
func hash(addr netip.Addr) uint64 {
	b := addr.As16()
	h := (binary.NativeEndian.Uint64(b[:])^0x9e3779b97f4a7c15)*0xbf58476d1ce4e5b9 ^ binary.NativeEndian.Uint64(b[8:])*0x94d049bb133111eb
	return h>>40 ^ h>>20
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
		clear(r.cache)
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

// renew shows those of some addresses that networks still show.
func (r *Resolver) renew(from *shownAddresses) {
	clear(r.cache)
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
