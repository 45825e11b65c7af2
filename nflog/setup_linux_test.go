// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// many is how often a test repeats what could fail once in a while.
const many = 1000

// inFlood runs a test while packets come. The test has the kernel deliver each packet at once, so datagrams come
// all the time, also before acknowledgements.
func inFlood(t *testing.T, name string, test func(*testing.T, *netns.NS)) {
	t.Run(name, func(t *testing.T) {
		ns, rule := logUDP(t)
		stop := flood(t, ns, target4, 0)
		before := logged(t, rule)
		test(t, ns)
		if n := logged(t, rule) - before; n < many {
			t.Errorf("unexpected flood: %d packets, want at least %d", n, many)
		}
		stop()
	})
}

// TestIntegrationSetUpInFlood opens readers, one after another.
func TestIntegrationSetUpInFlood(t *testing.T) {
	for name, groups := range map[string][]uint16{"one group": {group}, "several groups": {group + 1, group, group + 2}} {
		inFlood(t, name, func(t *testing.T, ns *netns.NS) {
			for i := range many {
				r, err := nflog.OpenGroups(groups, nflog.ReaderConfig{NetNS: ns.FD(), QueueThreshold: 1, CopyRange: 1})
				if err != nil {
					t.Fatalf("failed to open reader %d: %v", i, err)
				}
				setDeadline(t, r, time.Now().Add(patience))
				if _, err := r.Receive(); err != nil {
					t.Fatalf("failed to receive by reader %d: %v", i, err)
				}
				if err := r.Close(); err != nil {
					t.Fatalf("failed to close reader %d: %v", i, err)
				}
			}
		})
	}
}

// TestIntegrationHookSetUpInFlood opens Nflogs and registers hooks, one after another.
func TestIntegrationHookSetUpInFlood(t *testing.T) {
	for name, register := range registrations() {
		inFlood(t, name, func(t *testing.T, ns *netns.NS) {
			for i := range many {
				h := &recorder{ns: ns}
				called := make(chan bool, 1)
				h.on(func(nflog.Attribute) int {
					called <- true
					return 1
				}, nil)
				var err error
				h.Nflog, err = nflog.Open(&nflog.Config{NetNS: ns.FD(), Group: group, QThresh: 1, Logger: h})
				if err != nil {
					t.Fatalf("failed to open Nflog %d: %v", i, err)
				}
				noENOBUFS(t, h)
				h.register(t, t.Context(), register)
				within(t, called)
				h.close(t)
				if errs, logged := h.takeErrors(); len(errs) != 0 || len(logged) != 0 {
					t.Fatalf("unexpected errors of Nflog %d: %v, %q", i, errs, logged)
				}
			}
			awaitEnd(t)
		})
	}
}

// TestIntegrationHookRegisterAgainInFlood registers hooks on one Nflog, one after another.
func TestIntegrationHookRegisterAgainInFlood(t *testing.T) {
	for name, register := range registrations() {
		inFlood(t, name, func(t *testing.T, ns *netns.NS) {
			h := openRecorder(t, ns, nflog.Config{QThresh: 1})
			noENOBUFS(t, h)
			called := make(chan bool, 1)
			h.on(func(nflog.Attribute) int {
				called <- true
				return 1
			}, nil)
			for i := range many {
				err := register(h.Nflog, t.Context(), h.hook, h.failed)
				for errors.Is(err, syscall.EBUSY) { // the previous session is ending
					runtime.Gosched()
					err = register(h.Nflog, t.Context(), h.hook, h.failed)
				}
				if err != nil {
					t.Fatalf("failed to register hook %d: %v", i, err)
				}
				within(t, called)
			}
			awaitEnd(t)
			if errs, logged := h.takeErrors(); len(errs) != 0 || len(logged) != 0 {
				t.Errorf("unexpected errors: %v, %q", errs, logged)
			}
		})
	}
}
