// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNamesExpireDeleted checks that names of deleted interfaces expire in the order of deletion, and that no timer is left
// in the end.
func TestNamesExpireDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newFakeNames(t, newFakeLinks())
		for index := range uint32(10) {
			in.refresh(index+1, "eth0")
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		// They were deleted 100, 90, … 10 seconds ago.
		want := []uint32{6, 7, 8, 9, 10}
		in.mu.RLock()
		got := slices.Sorted(maps.Keys(in.deleted))
		in.mu.RUnlock()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected names left (-want +got):\n%s", diff)
		}

		time.Sleep(deletedNameLifetime)
		synctest.Wait()
		in.mu.RLock()
		defer in.mu.RUnlock()
		if n := len(in.deleted); n != 0 {
			t.Errorf("%d names of deleted interfaces are left", n)
		}
		if in.expiry != nil {
			t.Error("a timer is left")
		}
	})
}

// TestNamesBoundsDeleted deletes more interfaces than names of deleted ones are kept.
func TestNamesBoundsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newFakeNames(t, links)
		const n = 2 * maxDeletedNames
		for index := range uint32(n) {
			links.set(index+1, "eth0")
			in.refresh(index+1, "")
			links.set(index+1, "")
			in.refresh(index+1, "eth0")
		}
		if got := len(in.deleted); got != maxDeletedNames {
			t.Errorf("%d names of deleted interfaces are held, want %d", got, maxDeletedNames)
		}
		if got := len(in.names); got != 0 {
			t.Errorf("%d interfaces are held, want none", got)
		}
		if diff := cmp.Diff(unknownName(n), in.Name(n)); diff != "" {
			t.Errorf("unexpected name beyond the bound (-want +got):\n%s", diff)
		}
	})
}

// TestNamesBoundsQueries checks that the kernel is queried for a limited number of unknown indexes, however many packets have
// one.
func TestNamesBoundsQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newFakeNames(t, links)
		flood := func() {
			t.Helper()
			links.queries = 0
			for range 3 {
				for index := uint32(1); index <= 10000; index++ {
					if got := in.Name(index); got != unknownName(index) {
						t.Fatalf("name of %d is %q", index, got)
					}
				}
			}
			if diff := cmp.Diff(maxUnknown, links.queries); diff != "" {
				t.Errorf("unexpected number of queries (-want +got):\n%s", diff)
			}
		}
		flood()
		time.Sleep(unknownLifetime)
		flood()

		// A message still makes its interface known.
		links.set(9999, "eth0")
		in.refresh(9999, "")
		if diff := cmp.Diff("eth0", in.Name(9999)); diff != "" {
			t.Errorf("unexpected name (-want +got):\n%s", diff)
		}
	})
}
