// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNamesCaches checks that caches of names that are cleared when the generation changes have the right names in the end.
func TestNamesCaches(t *testing.T) {
	const (
		indexes = 8
		rounds  = 200
	)
	links := newFakeLinks()
	in := newFakeNames(t, links)

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

// TestNamesChangeDuringQuery changes a name after the kernel has answered a query, but before the answer is stored.
func TestNamesChangeDuringQuery(t *testing.T) {
	links := newFakeLinks()
	links.set(7, "old")
	var in *Names
	var queried atomic.Bool
	refreshed := make(chan struct{})
	in = newNames(func(index uint32) (string, error) {
		name, err := links.query(index)
		if queried.CompareAndSwap(false, true) {
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
