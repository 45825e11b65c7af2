// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeLinks stands in for the kernel: the names of interfaces by index.
type fakeLinks struct {
	mu      sync.Mutex
	names   map[uint32]string
	queries int
	err     error
}

func newFakeLinks() *fakeLinks {
	return &fakeLinks{names: make(map[uint32]string)}
}

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

func TestNamesName(t *testing.T) {
	// Each step is a change in the kernel, perhaps a message about it, and time that passes.
	type step struct {
		set      map[uint32]string // "" deletes
		refresh  uint32
		last     string // name in the message of a deletion
		wait     time.Duration
		want     map[uint32]string
		wantMove bool // of the generation, between the answers of the last step and these
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{
			name: "no interface",
			steps: []step{
				{want: map[uint32]string{0: "", 7: "if7", 4294967295: "if4294967295"}},
			},
		},
		{
			name: "message before packet",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "packet before message",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "created later",
			steps: []step{
				{want: map[uint32]string{7: "if7"}},
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "if7"}},
				{refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
			},
		},
		{
			name: "created later, without a message",
			steps: []step{
				{want: map[uint32]string{7: "if7"}},
				{set: map[uint32]string{7: "eth0"}, wait: unknownLifetime, want: map[uint32]string{7: "eth0"}, wantMove: true},
			},
		},
		{
			name: "renamed",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: "wan"}, refresh: 7, want: map[uint32]string{7: "wan"}, wantMove: true},
			},
		},
		{
			name: "deleted",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}},
				{refresh: 7, last: "eth0", wait: deletedNameLifetime - time.Second, want: map[uint32]string{7: "eth0"}},
				{wait: time.Second, want: map[uint32]string{7: "if7"}, wantMove: true},
				{wait: time.Hour, want: map[uint32]string{7: "if7"}},
			},
		},
		{
			name: "deleted before anybody asked",
			steps: []step{
				{refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}, wantMove: true},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantMove: true},
			},
		},
		{
			name: "renamed and deleted before the messages were read",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "wan", want: map[uint32]string{7: "wan"}, wantMove: true},
				{refresh: 7, last: "wan", want: map[uint32]string{7: "wan"}},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantMove: true},
			},
		},
		{
			name: "deleted without a message",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: ""}, wait: time.Hour, want: map[uint32]string{7: "eth0"}},
				{refresh: 7, want: map[uint32]string{7: "eth0"}},
				{wait: deletedNameLifetime, want: map[uint32]string{7: "if7"}, wantMove: true},
			},
		},
		{
			name: "index used again",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: "eth1"}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth1"}, wantMove: true},
				{refresh: 7, want: map[uint32]string{7: "eth1"}},
				{wait: time.Hour, want: map[uint32]string{7: "eth1"}},
			},
		},
		{
			name: "index used again after a while",
			steps: []step{
				{set: map[uint32]string{7: "eth0"}, refresh: 7, want: map[uint32]string{7: "eth0"}, wantMove: true},
				{set: map[uint32]string{7: ""}, refresh: 7, last: "eth0", want: map[uint32]string{7: "eth0"}},
				{set: map[uint32]string{7: "eth0"}, refresh: 7, wait: time.Hour, want: map[uint32]string{7: "eth0"}},
			},
		},
		{
			name: "names swapped",
			steps: []step{
				{set: map[uint32]string{1: "a", 2: "b"}, want: map[uint32]string{1: "a", 2: "b"}, wantMove: true},
				{set: map[uint32]string{1: "b", 2: "a"}, refresh: 1, want: map[uint32]string{1: "b", 2: "b"}, wantMove: true},
				{refresh: 2, want: map[uint32]string{1: "b", 2: "a"}, wantMove: true},
			},
		},
		{
			name: "message about an index that nobody has",
			steps: []step{
				{refresh: 7, want: map[uint32]string{7: "if7"}},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				links := newFakeLinks()
				in := newNames(links.query)
				defer in.Close()
				for i, s := range tt.steps {
					before := in.Generation()
					for index, name := range s.set {
						links.set(index, name)
					}
					if s.refresh != 0 {
						in.refresh(s.refresh, s.last)
					}
					time.Sleep(s.wait)
					synctest.Wait()

					got := make(map[uint32]string)
					for index := range s.want {
						got[index] = in.Name(index)
					}
					if diff := cmp.Diff(s.want, got); diff != "" {
						t.Errorf("step %d: unexpected names (-want +got):\n%s", i, diff)
					}
					if moved := in.Generation() != before; moved != s.wantMove {
						t.Errorf("step %d: generation moved: %t, want %t", i, moved, s.wantMove)
					}
				}
			})
		})
	}
}

// TestNamesQueryFails checks that a query that fails changes nothing that is known.
func TestNamesQueryFails(t *testing.T) {
	links := newFakeLinks()
	in := newNames(links.query)
	defer in.Close()
	links.set(1, "lo")
	in.refresh(1, "")
	before := in.Generation()

	links.err = errors.New("out of memory")
	in.refresh(1, "")
	got := []string{in.Name(1), in.Name(2)}
	if diff := cmp.Diff([]string{"lo", "if2"}, got); diff != "" {
		t.Errorf("unexpected names (-want +got):\n%s", diff)
	}
	if in.Generation() != before {
		t.Error("the generation moved")
	}
}

// TestNamesConcurrent checks that who caches names as long as the generation stays ends up
// with the right ones.
func TestNamesConcurrent(t *testing.T) {
	const (
		indexes = 8
		rounds  = 200
	)
	links := newFakeLinks()
	in := newNames(links.query)
	defer in.Close()

	var done atomic.Bool
	var wg sync.WaitGroup
	caches := make([]map[uint32]string, 3)
	for i := range caches {
		wg.Go(func() {
			var generation uint64
			for {
				last := done.Load()
				if g := in.Generation(); g != generation || caches[i] == nil {
					caches[i], generation = make(map[uint32]string), g
				}
				for index := uint32(1); index <= indexes; index++ {
					if _, ok := caches[i][index]; !ok {
						caches[i][index] = in.Name(index)
					}
				}
				if last {
					return
				}
			}
		})
	}
	for round := range rounds {
		for index := uint32(1); index <= indexes; index++ {
			links.set(index, fmt.Sprintf("eth%d.%d", index, round))
			in.refresh(index, "")
		}
	}
	done.Store(true)
	wg.Wait()

	want := maps.Clone(links.names)
	for _, got := range caches {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected names (-want +got):\n%s", diff)
		}
	}
}

// TestNamesChangeDuringQuery has a name change between the kernel's answer to a query and its
// storing.
func TestNamesChangeDuringQuery(t *testing.T) {
	links := newFakeLinks()
	links.set(7, "old")
	var in *Names
	var asked atomic.Bool
	refreshed := make(chan struct{})
	in = newNames(func(index uint32) (string, error) {
		name, err := links.query(index)
		if asked.CompareAndSwap(false, true) {
			links.set(7, "new")
			go func() {
				defer close(refreshed)
				in.refresh(7, "")
			}()
			select {
			case <-refreshed:
				t.Error("a message was handled during the query")
			case <-time.After(20 * time.Millisecond):
			}
		}
		return name, err
	})
	defer in.Close()

	in.Name(7)
	<-refreshed
	if diff := cmp.Diff("new", in.Name(7)); diff != "" {
		t.Errorf("unexpected name (-want +got):\n%s", diff)
	}
}

func TestNamesClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newNames(links.query)
		links.set(1, "lo")
		in.refresh(1, "")
		in.refresh(2, "eth0")
		in.Close()
		in.Close()
		time.Sleep(2 * deletedNameLifetime)
		got := []string{in.Name(1), in.Name(2)}
		if diff := cmp.Diff([]string{"lo", "eth0"}, got); diff != "" {
			t.Errorf("unexpected names (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkName(b *testing.B) {
	links := newFakeLinks()
	in := newNames(links.query)
	for index := range uint32(1000) {
		links.set(index+1, fmt.Sprintf("veth%08x", index))
		in.refresh(index+1, "")
	}
	b.ReportAllocs()
	for b.Loop() {
		in.Name(500)
	}
}
