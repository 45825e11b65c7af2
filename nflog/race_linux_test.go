// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// repeat calls functions repeatedly and concurrently. It stops calling a function that returns ErrClosed.
func repeat(t testing.TB, calls ...func() error) (wait func()) {
	var calling sync.WaitGroup
	for i, call := range calls {
		calling.Go(func() {
			for ; ; time.Sleep(100 * time.Microsecond) { // lets others run
				switch err := call(); {
				case errors.Is(err, nflog.ErrClosed):
					return
				case err != nil:
					t.Errorf("unexpected error of call %d: %v", i, err)
					return
				}
			}
		})
	}
	return calling.Wait
}

// connClosed returns ErrClosed for any error of a connection, which fails only if it is closed.
func connClosed(err error) error {
	if err != nil {
		return nflog.ErrClosed
	}
	return nil
}

// TestIntegrationHookConcurrent calls all methods concurrently, for the race detector, and closes meanwhile.
func TestIntegrationHookConcurrent(t *testing.T) {
	for range 5 {
		ns, _ := logUDP(t)
		stop := flood(t, ns, target4, 50_000)
		h := openRecorder(t, ns, nflog.Config{QThresh: 3})
		var packets, sessions atomic.Int64
		enough := make(chan bool)
		hook := func(nflog.Attribute) int {
			switch n := packets.Add(1); {
			case n == 300:
				close(enough)
			case n%20 == 0:
				return 1
			}
			return 0
		}
		// register registers a hook for a short time, unless one is registered.
		register := func(registration registration) error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			context.AfterFunc(ctx, cancel)
			err := registration(h.Nflog, ctx, hook, func(err error) int {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return 0
				}
				return 1
			})
			if err == nil {
				sessions.Add(1)
			}
			if errors.Is(err, syscall.EBUSY) {
				return nil
			}
			return err
		}
		calls := []func() error{
			func() error { return h.SetOption(netlink.NoENOBUFS, true) },
			func() error { return connClosed(h.Con.SetReadDeadline(time.Now().Add(time.Millisecond))) },
			func() error { return connClosed(h.Con.SetReadBuffer(1 << 20)) },
		}
		for _, registration := range registrations() {
			calls = append(calls, func() error { return register(registration) })
		}
		wait := repeat(t, calls...)
		within(t, enough)
		var closing sync.WaitGroup
		for range 3 {
			closing.Go(func() { h.close(t) })
		}
		closing.Wait()
		awaitFree(t, ns)
		wait()
		stop()
		awaitEnd(t)
		if sessions.Load() < 2 {
			t.Errorf("unexpected sessions: %d, want at least 2", sessions.Load())
		}
	}
}
