// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// resources are the resources of a process that could leak.
type resources struct{ descriptors, goroutines, threads int }

// countResources returns the resources of this process.
func countResources(t testing.TB) resources {
	t.Helper()
	entries := func(directory string) int {
		files, err := os.ReadDir(directory)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	return resources{entries("/proc/self/fd"), runtime.NumGoroutine(), entries("/proc/self/task")}
}

// checkLeaks calls a function repeatedly, and checks that it leaks no resources.
func checkLeaks(t *testing.T, name string, times int, do func(*netns.NS) error) {
	t.Run(name, func(t *testing.T) {
		ns := kerneltest.NS(t)
		if err := do(ns); err != nil { // allocates what is kept for good
			t.Fatal(err)
		}
		before := countResources(t)
		for i := range times {
			if err := do(ns); err != nil {
				t.Fatalf("failed call %d: %v", i, err)
			}
		}
		kerneltest.Eventually(t, soon, func() error {
			const spareThreads = 20 // the runtime keeps some
			after := countResources(t)
			if after.descriptors > before.descriptors || after.goroutines > before.goroutines || after.threads > before.threads+spareThreads {
				return fmt.Errorf("unexpected resources: %+v, want %+v", after, before)
			}
			return nil
		})
	})
}

// TestIntegrationReaderLeaks opens and closes readers.
func TestIntegrationReaderLeaks(t *testing.T) {
	cycle := func(ns *netns.NS, groups ...uint16) error {
		r, err := nflog.OpenGroups(groups, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return err
		}
		return r.Close()
	}
	checkLeaks(t, "one group", many, func(ns *netns.NS) error { return cycle(ns, group) })
	checkLeaks(t, "several groups", many/10, func(ns *netns.NS) error { return cycle(ns, group, 0, 65535) })
	checkLeaks(t, "held group", many/10, func(ns *netns.NS) error {
		holder, err := nflog.OpenReader(group+1, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return err
		}
		defer holder.Close()
		return expect(cycle(ns, group, group+1), nflog.ErrGroupHeld)
	})
}

// expect returns an error unless err matches want.
func expect(err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("unexpected error: %w, want %w", err, want)
	}
	return nil
}

// ownContext is a context that package context can't recognise, so it starts a goroutine for AfterFunc.
type ownContext struct{ context.Context }

func (ownContext) Value(any) any { return nil }

// TestIntegrationHookLeaks opens and closes Nflogs, with and without a hook.
func TestIntegrationHookLeaks(t *testing.T) {
	cycle := func(ns *netns.NS, use func(*nflog.Nflog) error) error {
		n, err := nflog.Open(&nflog.Config{NetNS: ns.FD(), Group: group})
		if err != nil {
			return err
		}
		return errors.Join(use(n), n.Close())
	}
	hook := func(nflog.Attribute) int { return 0 }
	checkLeaks(t, "no hook", many/10, func(ns *netns.NS) error {
		return cycle(ns, func(*nflog.Nflog) error { return nil })
	})
	checkLeaks(t, "closed", many, func(ns *netns.NS) error {
		return cycle(ns, func(n *nflog.Nflog) error { return n.Register(ownContext{t.Context()}, hook) })
	})
	checkLeaks(t, "context done", many/10, func(ns *netns.NS) error {
		return cycle(ns, func(n *nflog.Nflog) error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			return n.Register(ownContext{ctx}, hook)
		})
	})
	checkLeaks(t, "held group", many/10, func(ns *netns.NS) error {
		holder, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return err
		}
		defer holder.Close()
		return cycle(ns, func(n *nflog.Nflog) error { return expect(n.Register(t.Context(), hook), nflog.ErrGroupHeld) })
	})
}
