// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// overflow sends more packets than the socket holds while the hook runs.
func overflow(t testing.TB, h *recorder, register func()) {
	t.Helper()
	if err := h.Con.SetReadBuffer(20_000); err != nil {
		t.Fatalf("failed to set buffer: %v", err)
	}
	called, goOn := make(chan bool, 1), make(chan bool)
	h.mu.Lock()
	h.onPacket = func(a nflog.Attribute) int { // onError stays
		if *a.Seq == 0 {
			called <- true
			<-goOn
		}
		return 0
	}
	h.mu.Unlock()
	register()
	sendSized(t, h.ns, target4, 1, 10)
	within(t, called)
	sendSized(t, h.ns, target4, 1000, 10)
	close(goOn)
}

// checkGap checks that the session has lost packets and continues.
func checkGap(t testing.TB, h *recorder) {
	t.Helper()
	var packets, next uint32
	kerneltest.Eventually(t, patience, func() error {
		sendSized(t, h.ns, target4, 1, 500)
		for _, a := range h.take() {
			packets++
			next = *a.Seq + 1
			if len(*a.Payload) == 528 {
				return nil
			}
		}
		return errors.New("no packet from after the overflow")
	})
	if packets >= next {
		t.Errorf("unexpected packets: %d of %d, want fewer", packets, next)
	}
}

// TestIntegrationHookOverflow reads a group that gets more packets than the socket holds.
func TestIntegrationHookOverflow(t *testing.T) {
	ns, _ := logUDP(t)
	h := openRecorder(t, ns, eachPacket())
	overflow(t, h, func() { h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc) })
	checkGap(t, h)
	errs, logged := h.takeErrors()
	if len(errs) == 0 || len(logged) != 0 {
		t.Errorf("unexpected errors: %v, logged %q, want some, and none logged", errs, logged)
	}
	for _, err := range errs {
		checkError(t, []error{err}, syscall.ENOBUFS)
	}
}

// TestIntegrationHookOverflowEnds ends a session at an overrun.
func TestIntegrationHookOverflowEnds(t *testing.T) {
	eachSession(t, "overflow", func(t *testing.T, r *session) {
		r.on(nil, func(error) int { return 1 })
		overflow(t, r.recorder, func() { r.begin(t) })
		awaitEnd(t)
		awaitFree(t, r.ns)
		errs, logged := r.takeErrors()
		if r.hasErrfn {
			checkError(t, errs, syscall.ENOBUFS)
		} else if len(logged) != 1 || !strings.Contains(logged[0], syscall.ENOBUFS.Error()) {
			t.Errorf("unexpected log: %q, want %v", logged, syscall.ENOBUFS)
		}
		checkRegisterAgain(t, r.recorder)
	})
}

// TestIntegrationHookNoENOBUFS continues after an overrun, because an option turns off the error.
func TestIntegrationHookNoENOBUFS(t *testing.T) {
	eachSession(t, "overflow", func(t *testing.T, r *session) {
		noENOBUFS(t, r.recorder)
		overflow(t, r.recorder, func() { r.begin(t) })
		checkGap(t, r.recorder)
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}

// TestIntegrationHookDeadline sets deadlines of the connection. The session continues after them.
func TestIntegrationHookDeadline(t *testing.T) {
	eachSession(t, "deadline", func(t *testing.T, r *session) {
		r.begin(t)
		awaitWaiting(t, inSession)
		exceeded := make(chan bool, 1)
		r.on(nil, func(error) int {
			if err := r.Con.SetReadDeadline(time.Time{}); err != nil {
				t.Errorf("failed to reset deadline: %v", err)
			}
			exceeded <- true
			return 0
		})
		if err := r.Con.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatalf("failed to set deadline: %v", err)
		}
		if r.hasErrfn {
			within(t, exceeded)
			awaitWaiting(t, inSession)
			errs, _ := r.takeErrors()
			checkError(t, errs, os.ErrDeadlineExceeded)
		} else {
			// There is no error function. The session keeps trying.
			kerneltest.Eventually(t, patience, func() error {
				if waiting(inSession) {
					return errors.New("the session waits")
				}
				return nil
			})
			if err := r.Con.SetReadDeadline(time.Time{}); err != nil {
				t.Fatalf("failed to reset deadline: %v", err)
			}
		}
		sendSized(t, r.ns, target4, 3, 10)
		checkNew(t, r.await(t, 3), 10)
		r.on(nil, nil)
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}

// TestIntegrationHookDeadlineEnds ends a session at a deadline of the connection.
func TestIntegrationHookDeadlineEnds(t *testing.T) {
	ns, _ := logUDP(t)
	h := openRecorder(t, ns, eachPacket())
	h.on(nil, func(error) int { return 1 })
	h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
	if err := h.Con.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatalf("failed to set deadline: %v", err)
	}
	awaitEnd(t)
	awaitFree(t, ns)
	errs, _ := h.takeErrors()
	checkError(t, errs, os.ErrDeadlineExceeded)
	checkRegisterAgain(t, h) // the deadline is cleared
}

// TestIntegrationHookClosedByError closes an Nflog from inside the error function.
func TestIntegrationHookClosedByError(t *testing.T) {
	for name, e := range endings() {
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			h := openRecorder(t, ns, eachPacket())
			ctx, cancel := context.WithCancel(t.Context())
			h.on(nil, func(err error) int {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					if err := e.do(h, cancel); err != nil {
						t.Errorf("failed to end: %v", err)
					}
				}
				return 0
			})
			h.register(t, ctx, (*nflog.Nflog).RegisterWithErrorFunc)
			if err := h.Con.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Fatalf("failed to set deadline: %v", err)
			}
			awaitEnd(t)
			awaitFree(t, ns)
			errs, _ := h.takeErrors()
			if len(errs) < 2 {
				t.Fatalf("unexpected errors: %v, want two", errs)
			}
			checkError(t, errs[len(errs)-1:], e.wantErr)
		})
	}
}
