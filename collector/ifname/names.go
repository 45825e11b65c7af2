// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ifname finds the names and aliases of a network namespace's interfaces by their index, and the networks of their
// addresses, and keeps them up to date by rtnetlink.
package ifname

import (
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// deletedNameLifetime is how long the name of a deleted interface is kept: its packets may still wait in the
	// kernel and in the socket.
	deletedNameLifetime = time.Minute

	// maxDeletedNames bounds the names of deleted interfaces. Whoever may create interfaces can create and delete any
	// number in a minute.
	maxDeletedNames = 8192

	// unknownLifetime is how long the kernel is not asked again for an index that it did not know.
	unknownLifetime = time.Second

	// maxUnknown bounds the queries for unknown indexes in that time.
	maxUnknown = 256
)

// errNoInterface is the error of a query for an index that no interface has.
var errNoInterface = errors.New("no such interface")

// Names finds the name and the alias that the interface with an index has, or had last, in one network namespace. It is safe
// for concurrent use.
//
// A message about an interface is only a reason to ask the kernel for its current name. So it does no harm if messages are
// late or lost, or if a bridge reports a port that leaves it as a deleted link. Aliases come from the messages themselves: the
// kernel can only be asked for them by a request that waits for the RTNL.
type Names struct {
	// query asks the kernel for the current name of an interface. It is called with mu held: an answer from before a change
	// must not be stored after it.
	query func(index uint32) (string, error)

	// unfollow stops following changes. followAddresses follows those of addresses, too.
	unfollow, followAddresses func()

	changes atomic.Uint64

	mu      sync.RWMutex // guards what follows
	names   map[uint32]string
	deleted map[uint32]deletedName
	aliases map[uint32]string // of some in names and deleted; most interfaces have none
	expiry  *time.Timer       // of deleted names; nil without one
	closed  bool

	networks map[uint32][]netip.Prefix // of the interfaces' addresses, each sorted; nil while nobody follows them

	// unknown has the indexes that the kernel did not know, since unknownSince.
	unknown      map[uint32]struct{}
	unknownSince time.Time
}

// A deletedName is the name that an interface had when it was deleted.
type deletedName struct {
	name  string
	until time.Time
}

// newNames returns Names that know no name yet.
func newNames(query func(index uint32) (string, error)) *Names {
	return &Names{
		query:           query,
		unfollow:        func() {},
		followAddresses: func() {},
		names:           make(map[uint32]string),
		deleted:         make(map[uint32]deletedName),
		aliases:         make(map[uint32]string),
		unknown:         make(map[uint32]struct{}),
	}
}

// Name returns the name of the interface with the index. For an interface that was deleted within the last minute it is the
// last name, for an unknown one "if" and the index, and for index 0, which no interface has, "". The first query for an
// index costs a system call.
func (n *Names) Name(index uint32) string {
	if index == 0 {
		return ""
	}
	n.mu.RLock()
	name, ok := n.known(index)
	n.mu.RUnlock()
	if ok {
		return name
	}

	// A packet can arrive before the message about its interface.
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, ok := n.known(index); ok {
		return name
	}
	if now := time.Now(); now.Sub(n.unknownSince) >= unknownLifetime {
		clear(n.unknown)
		n.unknownSince = now
	}
	if _, asked := n.unknown[index]; !asked && len(n.unknown) < maxUnknown {
		if name, err := n.query(index); err == nil {
			n.set(index, name)
			return name
		}
		n.unknown[index] = struct{}{}
	}
	return unknownName(index)
}

// Alias returns the alias of the interface with the index, the last one if it was deleted within the last minute. It is empty
// without one, and until the kernel's message about the interface is read.
func (n *Names) Alias(index uint32) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.aliases[index]
}

// Generation returns a number that changes whenever a result of Name, Alias or Networks does.
func (n *Names) Generation() uint64 {
	return n.changes.Load()
}

// Present returns the names of the interfaces that exist.
func (n *Names) Present() map[string]bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	names := make(map[string]bool, len(n.names))
	for _, name := range n.names {
		names[name] = true
	}
	return names
}

// Close stops following changes. Known names are still found. It may be called more than once.
func (n *Names) Close() {
	// Without the lock: the goroutine that ends may need it.
	n.unfollow()

	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.expiry != nil {
		n.expiry.Stop()
	}
}

// refresh asks the kernel for the name of an interface that may have changed. If the interface is gone, last was its name,
// or "" if that is not known.
func (n *Names) refresh(index uint32, last string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch name, err := n.query(index); {
	case err == nil:
		n.set(index, name)
	case errors.Is(err, errNoInterface):
		n.remove(index, last)
	}
}

// indexes returns the indexes of all interfaces that exist.
func (n *Names) indexes() []uint32 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	indexes := make([]uint32, 0, len(n.names))
	for index := range n.names {
		indexes = append(indexes, index)
	}
	return indexes
}

// known returns the name of an interface that exists, or that was deleted recently. The caller holds mu.
func (n *Names) known(index uint32) (string, bool) {
	if name, ok := n.names[index]; ok {
		return name, true
	}
	d, ok := n.deleted[index]
	return d.name, ok
}

// set stores the name of an interface that exists. The caller holds mu.
func (n *Names) set(index uint32, name string) {
	if old, _ := n.known(index); old != name {
		n.changes.Add(1)
	}
	if _, ok := n.deleted[index]; ok {
		delete(n.deleted, index)
		n.storeAlias(index, "") // it was that of another interface
	}
	n.names[index] = name
}

// setAlias stores the alias of an interface, empty for none, if the interface is known.
func (n *Names) setAlias(index uint32, alias string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.known(index); ok {
		n.storeAlias(index, alias)
	}
}

// storeAlias stores the alias of a known interface. The caller holds mu.
func (n *Names) storeAlias(index uint32, alias string) {
	switch {
	case n.aliases[index] == alias:
		return
	case alias == "":
		delete(n.aliases, index)
	default:
		n.aliases[index] = alias
	}
	n.changes.Add(1)
}

// remove marks an interface as deleted. last was its name, or "" for the known one. The caller holds mu.
func (n *Names) remove(index uint32, last string) {
	old, _ := n.known(index)
	if last == "" {
		last = old
	}
	if _, ok := n.deleted[index]; last == "" || ok && last == old {
		return
	}

	delete(n.names, index)
	if len(n.deleted) >= maxDeletedNames {
		n.storeAlias(index, "")
		n.changes.Add(1)
		return
	}
	if last != old {
		n.changes.Add(1)
	}
	n.deleted[index] = deletedName{name: last, until: time.Now().Add(deletedNameLifetime)}
	if n.expiry == nil {
		n.expiry = time.AfterFunc(deletedNameLifetime, n.expire)
	}
}

// expire forgets the names of interfaces that were deleted long enough ago.
func (n *Names) expire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}

	now := time.Now()
	var next time.Time
	for index, d := range n.deleted {
		if !d.until.After(now) {
			delete(n.deleted, index)
			n.storeAlias(index, "")
			n.changes.Add(1)
		} else if next.IsZero() || d.until.Before(next) {
			next = d.until
		}
	}
	if next.IsZero() {
		n.expiry = nil
		return
	}
	// At most once a second, however many interfaces come and go.
	n.expiry.Reset(max(next.Sub(now), time.Second))
}

// unknownName returns the name for an unknown index.
func unknownName(index uint32) string {
	return "if" + strconv.FormatUint(uint64(index), 10)
}
