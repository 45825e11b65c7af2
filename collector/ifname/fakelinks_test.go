// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"sync"
	"testing"
)

// fakeLinks stand in for the kernel's interfaces.
type fakeLinks struct {
	mu      sync.Mutex
	names   map[uint32]string // by index
	queries int
	err     error // of all queries, if not nil
}

func newFakeLinks() *fakeLinks {
	return &fakeLinks{names: make(map[uint32]string)}
}

// set sets the name of an interface, or deletes it if the name is empty.
func (f *fakeLinks) set(index uint32, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name == "" {
		delete(f.names, index)
		return
	}
	f.names[index] = name
}

func (f *fakeLinks) query(index uint32) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries++
	if f.err != nil {
		return "", f.err
	}
	name, ok := f.names[index]
	if !ok {
		return "", errNoInterface
	}
	return name, nil
}

// newFakeNames returns names that query these interfaces. They are closed when the test ends.
func newFakeNames(t testing.TB, links *fakeLinks) *Names {
	t.Helper()
	n := newNames(links.query)
	t.Cleanup(n.Close)
	return n
}
