// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ifname knows the names of a network namespace's interfaces by their index, and keeps them up to date by rtnetlink.
package ifname

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// deletedNameLifetime is how long the name of a deleted interface is remembered: its packets
	// may wait in the kernel, and in the socket, when it goes.
	deletedNameLifetime = time.Minute

	// maxDeletedNames bounds how many of them are remembered. Whoever may create interfaces may
	// create and delete any number in a minute.
	maxDeletedNames = 8192

	// unknownLifetime is how long an index that the kernel did not know is not asked for again.
	unknownLifetime = time.Second

	// maxUnknown bounds how many such indexes are asked for in that time.
	maxUnknown = 256
)

// errNoInterface is returned by a query for an index that no interface has.
var errNoInterface = errors.New("no such interface")

// interfaces answers which name the interface with an index has, or had last, in one network
// namespace. It is safe for concurrent use.
//
// A message about an interface is no more than a reason to ask the kernel what that interface is
// called now. So it does no harm that messages are late, that some are lost, or that a bridge
// reports a port that leaves it as a deleted link.
type Names struct {
	// query asks the kernel for the present name of an interface. It is called with mu held: a
	// name that was asked for before a change must not be stored after it.
	query func(index uint32) (string, error)

	// unfollow ends the following of changes.
	unfollow func()

	changes atomic.Uint64

	mu      sync.RWMutex
	names   map[uint32]string // of those that are there
	deleted map[uint32]deletedName
	expiry  *time.Timer // of deleted names, nil while there is none
	closed  bool

	// unknown holds the indexes that the kernel was asked for in vain since unknownSince.
	unknown      map[uint32]struct{}
	unknownSince time.Time
}

// A deletedName is the name that an interface had when it was deleted.
type deletedName struct {
	name  string
	until time.Time
}

// newNames returns interfaces that know no name yet.
func newNames(query func(index uint32) (string, error)) *Names {
	return &Names{
		query:    query,
		unfollow: func() {},
		names:    make(map[uint32]string),
		deleted:  make(map[uint32]deletedName),
		unknown:  make(map[uint32]struct{}),
	}
}

// name returns the name of the interface with the index, the last one where it was deleted within
// the last minute, "if" and the index where none is known, or "" for index 0, which no interface
// has. An index that it meets for the first time costs a system call.
func (in *Names) Name(index uint32) string {
	if index == 0 {
		return ""
	}
	in.mu.RLock()
	name, ok := in.known(index)
	in.mu.RUnlock()
	if ok {
		return name
	}

	// A packet may be read before the message about its interface.
	in.mu.Lock()
	defer in.mu.Unlock()
	if name, ok := in.known(index); ok {
		return name
	}
	if now := time.Now(); now.Sub(in.unknownSince) >= unknownLifetime {
		clear(in.unknown)
		in.unknownSince = now
	}
	if _, asked := in.unknown[index]; !asked && len(in.unknown) < maxUnknown {
		if name, err := in.query(index); err == nil {
			in.set(index, name)
			return name
		}
		in.unknown[index] = struct{}{}
	}
	return unknownName(index)
}

// generation returns a number that changes whenever an answer of name does.
func (in *Names) Generation() uint64 {
	return in.changes.Load()
}

// present returns the names of the interfaces that are known to be there.
func (in *Names) Present() map[string]bool {
	in.mu.RLock()
	defer in.mu.RUnlock()
	names := make(map[string]bool, len(in.names))
	for _, name := range in.names {
		names[name] = true
	}
	return names
}

// close ends the following of changes. Names that are known by then still answer. It may be called
// more than once.
func (in *Names) Close() {
	// Without the lock: the goroutine that ends may want it.
	in.unfollow()

	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	if in.expiry != nil {
		in.expiry.Stop()
	}
}

// refresh asks the kernel for the name of an interface that may have changed. If it is gone, last
// is the name that it had, "" for the name that was known.
func (in *Names) refresh(index uint32, last string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch name, err := in.query(index); {
	case err == nil:
		in.set(index, name)
	case errors.Is(err, errNoInterface):
		in.remove(index, last)
	}
}

// indexes returns the indexes of all interfaces that are known to be there.
func (in *Names) indexes() []uint32 {
	in.mu.RLock()
	defer in.mu.RUnlock()
	indexes := make([]uint32, 0, len(in.names))
	for index := range in.names {
		indexes = append(indexes, index)
	}
	return indexes
}

// known returns the name of an interface that is, or was, there. The caller holds mu.
func (in *Names) known(index uint32) (string, bool) {
	if name, ok := in.names[index]; ok {
		return name, true
	}
	d, ok := in.deleted[index]
	return d.name, ok
}

// set stores the name of an interface that is there. The caller holds mu.
func (in *Names) set(index uint32, name string) {
	if old, _ := in.known(index); old != name {
		in.changes.Add(1)
	}
	delete(in.deleted, index)
	in.names[index] = name
}

// remove stores that an interface is gone, whose name was last, if that is not "". The caller
// holds mu.
func (in *Names) remove(index uint32, last string) {
	old, _ := in.known(index)
	if last == "" {
		last = old
	}
	if _, ok := in.deleted[index]; last == "" || ok && last == old {
		return
	}

	delete(in.names, index)
	if len(in.deleted) >= maxDeletedNames {
		in.changes.Add(1)
		return
	}
	if last != old {
		in.changes.Add(1)
	}
	in.deleted[index] = deletedName{name: last, until: time.Now().Add(deletedNameLifetime)}
	if in.expiry == nil {
		in.expiry = time.AfterFunc(deletedNameLifetime, in.expire)
	}
}

// expire forgets the names of interfaces that were deleted long enough ago.
func (in *Names) expire() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}

	now := time.Now()
	var next time.Time
	for index, d := range in.deleted {
		if !d.until.After(now) {
			delete(in.deleted, index)
			in.changes.Add(1)
		} else if next.IsZero() || d.until.Before(next) {
			next = d.until
		}
	}
	if next.IsZero() {
		in.expiry = nil
		return
	}
	// Not more often than each second, however many interfaces come and go.
	in.expiry.Reset(max(next.Sub(now), time.Second))
}

// unknownName returns the name of an interface that no name is known of.
func unknownName(index uint32) string {
	return "if" + strconv.FormatUint(uint64(index), 10)
}
