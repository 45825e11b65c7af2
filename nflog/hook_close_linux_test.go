// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestIntegrationHookCloseWaits closes an Nflog from several goroutines while its hook runs. Each call waits for the hook and
// for the last call of the error function.
func TestIntegrationHookCloseWaits(t *testing.T) {
	ns, _ := logUDP(t)
	h := openRecorder(t, ns, eachPacket())
	called, goOn := make(chan bool, 1), make(chan bool)
	var ended atomic.Bool
	h.on(func(nflog.Attribute) int {
		called <- true
		<-goOn
		return 0
	}, func(error) int {
		ended.Store(true)
		return 0
	})
	h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
	send(t, ns, target4, 5)
	within(t, called)
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() {
			h.close(t)
			if !ended.Load() {
				t.Error("Close returned before the last call of the error function")
			}
		})
	}
	awaitFree(t, ns) // so Close has been called
	close(goOn)
	closing.Wait()
	h.await(t, 1)
}

// TestIntegrationHookCloseInFlood closes an Nflog many times while packets come. The hook is never called after that.
func TestIntegrationHookCloseInFlood(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 20
	}
	ns, _ := logUDP(t)
	flood(t, ns, target4, 20_000)
	for range rounds {
		nf, err := nflog.Open(&nflog.Config{NetNS: ns.FD(), Group: group, QThresh: 2})
		if err != nil {
			t.Fatalf("failed to open: %v", err)
		}
		enough := make(chan bool)
		var closed atomic.Bool
		calls := 0 // not atomic: Close must order the last call before its return
		hook := func(nflog.Attribute) int {
			if closed.Load() {
				t.Error("the hook is called after Close")
			}
			if calls++; calls == 3 {
				close(enough)
			}
			return 0
		}
		errfn := func(error) int {
			if closed.Load() {
				t.Error("the error function is called after Close")
			}
			return 0
		}
		if err := nf.RegisterWithErrorFunc(t.Context(), hook, errfn); err != nil {
			t.Fatalf("failed to register: %v", err)
		}
		within(t, enough)
		if err := nf.Close(); err != nil {
			t.Fatalf("failed to close: %v", err)
		}
		closed.Store(true)
		calls = 0
	}
}

// TestIntegrationHookCloseEachOther closes two Nflogs, each from the hook of the other.
func TestIntegrationHookCloseEachOther(t *testing.T) {
	var recorders [2]*recorder
	var running sync.WaitGroup
	running.Add(2)
	for i := range recorders {
		ns, _ := logUDP(t)
		recorders[i] = openRecorder(t, ns, eachPacket())
	}
	for i, h := range recorders {
		h.on(func(nflog.Attribute) int {
			running.Done()
			running.Wait()
			recorders[1-i].close(t)
			return 0
		}, nil)
		h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
	}
	for _, h := range recorders {
		send(t, h.ns, target4, 1)
	}
	awaitEnd(t)
	for _, h := range recorders {
		errs, _ := h.takeErrors()
		checkError(t, errs, nflog.ErrClosed)
	}
}

// recurse calls fn under many frames.
func recurse(depth int, fn func()) {
	if depth == 0 {
		fn()
		return
	}
	recurse(depth-1, fn)
}

// TestIntegrationHookCloseDeep closes an Nflog from its hook, deep in a recursion.
func TestIntegrationHookCloseDeep(t *testing.T) {
	for _, depth := range []int{0, 50, 62, 63, 64, 65, 66, 1000} {
		ns, _ := logUDP(t)
		h := openRecorder(t, ns, eachPacket())
		h.on(func(nflog.Attribute) int {
			recurse(depth, func() { h.close(t) })
			return 0
		}, nil)
		h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
		send(t, ns, target4, 1)
		awaitEnd(t)
	}
}

// TestIntegrationHookEndOrder ends sessions by their context and by Close, one after the other. The error function gets the
// error of the first.
func TestIntegrationHookEndOrder(t *testing.T) {
	ns, _ := logUDP(t)
	for _, tt := range []struct {
		name string
		end  func(cancel context.CancelFunc, h *recorder)
		want error
	}{
		{name: "context first", want: os.ErrDeadlineExceeded, end: func(cancel context.CancelFunc, h *recorder) { cancel(); h.close(t) }},
		{name: "Close first", want: nflog.ErrClosed, end: func(cancel context.CancelFunc, h *recorder) { h.close(t); cancel() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			flood(t, ns, target4, 20_000)
			for i := range 100 {
				h := openRecorder(t, ns, eachPacket())
				noENOBUFS(t, h)
				ctx, cancel := context.WithCancel(t.Context())
				h.register(t, ctx, (*nflog.Nflog).RegisterWithErrorFunc)
				if i%2 == 0 {
					called := make(chan bool)
					var once sync.Once
					h.on(func(nflog.Attribute) int {
						once.Do(func() { close(called) })
						return 0
					}, nil)
					within(t, called)
				}
				tt.end(cancel, h)
				errs, _ := h.takeErrors()
				checkError(t, errs, tt.want)
			}
		})
	}
}
