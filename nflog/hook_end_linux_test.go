// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestIntegrationHookEndWaiting ends sessions that wait for packets.
func TestIntegrationHookEndWaiting(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		r.begin(t)
		sendSized(t, r.ns, target4, 2, 10)
		checkNew(t, r.await(t, 2), 10)
		awaitWaiting(t, inSession)
		r.end(t, e)
		r.checkEnd(t, e)
	})
}

// TestIntegrationHookEndBegun ends sessions immediately after they begin.
func TestIntegrationHookEndBegun(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		r.begin(t)
		r.end(t, e)
		r.checkEnd(t, e)
	})
}

// TestIntegrationHookEndBefore registers hooks after the ending.
func TestIntegrationHookEndBefore(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		r.end(t, e)
		if !e.closed {
			r.begin(t)
			r.checkEnd(t, e)
			return
		}
		checkHookClosed(t, r.recorder)
		awaitEnd(t)
		awaitFree(t, r.ns)
	})
}

// TestIntegrationHookEndRunning ends sessions while their hook runs. The group is free at once, but Close waits for the
// hook. The hook gets no further packets.
func TestIntegrationHookEndRunning(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		called, goOn := make(chan bool, 1), make(chan bool)
		r.on(func(nflog.Attribute) int {
			called <- true
			<-goOn
			return 0
		}, nil)
		r.begin(t)
		sendSized(t, r.ns, target4, 5, 10)
		within(t, called)
		ended := make(chan bool)
		go func() {
			r.end(t, e)
			close(ended)
		}()
		awaitFree(t, r.ns)
		close(goOn)
		within(t, ended)
		awaitEnd(t)
		r.await(t, 1)
		r.checkEnd(t, e)
	})
}

// TestIntegrationHookEndByHook ends sessions from inside the hook. The hook gets no further packets.
func TestIntegrationHookEndByHook(t *testing.T) {
	byHook := endings()
	byHook["return"] = ending{}
	for name, e := range byHook {
		eachSession(t, name, func(t *testing.T, r *session) {
			result := 0
			if e.do == nil {
				result = -1
			}
			r.on(func(a nflog.Attribute) int {
				if *a.Seq < 2 {
					return 0
				}
				if e.do != nil {
					r.end(t, e)
				}
				return result
			}, nil)
			r.begin(t)
			sendSized(t, r.ns, target4, 5, 10)
			awaitEnd(t)
			checkNew(t, r.await(t, 3), 10)
			r.checkEnd(t, e)
		})
	}
}

// TestIntegrationHookEndInFlood ends sessions while packets come.
func TestIntegrationHookEndInFlood(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		noENOBUFS(t, r.recorder)
		stop := flood(t, r.ns, target4, 50_000)
		enough := make(chan bool)
		var once sync.Once
		r.on(func(nflog.Attribute) int {
			once.Do(func() { close(enough) })
			return 0
		}, nil)
		r.begin(t)
		within(t, enough)
		r.end(t, e)
		awaitEnd(t)
		awaitFree(t, r.ns)
		stop()
		r.checkEnd(t, e)
	})
}

// TestIntegrationHookEndTimeout ends sessions at the deadline of their context.
func TestIntegrationHookEndTimeout(t *testing.T) {
	eachSession(t, "deadline", func(t *testing.T, r *session) {
		ctx, cancel := context.WithTimeout(r.ctx, 20*time.Millisecond)
		defer cancel()
		r.ctx = ctx
		r.begin(t)
		<-ctx.Done()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}

// TestIntegrationHookEndFree checks that the group is free when the error function gets its last call.
func TestIntegrationHookEndFree(t *testing.T) {
	for _, name := range []string{"context", "Close"} {
		e := endings()[name]
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			h := openRecorder(t, ns, eachPacket())
			ctx, cancel := context.WithCancel(t.Context())
			opened := make(chan error, 1)
			h.on(nil, func(error) int {
				opened <- openAndClose(nflog.ReaderConfig{NetNS: ns.FD()})
				return 0
			})
			h.register(t, ctx, (*nflog.Nflog).RegisterWithErrorFunc)
			awaitWaiting(t, inSession)
			if err := e.do(h, cancel); err != nil {
				t.Errorf("failed to end: %v", err)
			}
			if err := within(t, opened); err != nil {
				t.Errorf("failed to open reader: %v", err)
			}
			awaitEnd(t)
		})
	}
}

// TestIntegrationHookEndAtOnce ends sessions in all ways at the same time.
func TestIntegrationHookEndAtOnce(t *testing.T) {
	for range 20 {
		eachSession(t, "all", func(t *testing.T, r *session) {
			noENOBUFS(t, r.recorder)
			stop := flood(t, r.ns, target4, 50_000)
			enough := make(chan bool)
			calls := 0
			r.on(func(nflog.Attribute) int {
				if calls++; calls == 50 {
					close(enough)
				}
				return calls / 60
			}, func(error) int { return 1 })
			r.begin(t)
			within(t, enough)
			var ends sync.WaitGroup
			for _, e := range endings() {
				ends.Go(func() { r.end(t, e) })
			}
			ends.Wait()
			awaitEnd(t)
			awaitFree(t, r.ns)
			stop()
			checkHookClosed(t, r.recorder)
			if errs, logged := r.takeErrors(); len(errs) > 1 || len(logged) != 0 {
				t.Errorf("unexpected errors: %v, %q", errs, logged)
			}
		})
	}
}
