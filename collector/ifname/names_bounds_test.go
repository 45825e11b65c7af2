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

// TestNamesForgetsDeleted checks that names are forgotten in the order of deletion, and that
// no timer is left when all are.
func TestNamesForgetsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newNames(newFakeLinks().query)
		defer in.Close()
		for index := range uint32(10) {
			in.refresh(index+1, "eth0")
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		// Now they are deleted since 100, 90, … 10 seconds.
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

func TestNamesBoundsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newNames(links.query)
		defer in.Close()
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

// TestNamesBoundsQueries checks that packets of interfaces that do not exist can't make the
// exporter ask the kernel for each.
func TestNamesBoundsQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		in := newNames(links.query)
		defer in.Close()
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

		// A message gets through while queries are refused.
		links.set(9999, "eth0")
		in.refresh(9999, "")
		if diff := cmp.Diff("eth0", in.Name(9999)); diff != "" {
			t.Errorf("unexpected name (-want +got):\n%s", diff)
		}
	})
}
