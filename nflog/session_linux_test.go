// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"syscall"
	"testing"

	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// An ending is a way to end a session.
type ending struct {
	do      func(h *recorder, cancel context.CancelFunc) error
	wantErr error // last error of the error function
	closed  bool  // no hook can be registered afterwards
}

// endings returns the endings that are possible at any time.
func endings() map[string]ending {
	return map[string]ending{
		"context": {
			do:      func(_ *recorder, cancel context.CancelFunc) error { cancel(); return nil },
			wantErr: os.ErrDeadlineExceeded,
		},
		"Close": {
			do:      func(h *recorder, _ context.CancelFunc) error { return h.Close() },
			wantErr: nflog.ErrClosed,
			closed:  true,
		},
		"Con.Close": {
			do:      func(h *recorder, _ context.CancelFunc) error { return h.Con.Close() },
			wantErr: nflog.ErrClosed,
			closed:  true,
		},
	}
}

// A session is a recorder with the method that registers its hook.
type session struct {
	*recorder
	ctx      context.Context
	cancel   context.CancelFunc
	register registration
	hasErrfn bool // the method takes an error function
}

// eachSession runs a test with each method that registers a hook.
func eachSession(t *testing.T, name string, test func(*testing.T, *session)) {
	for method, register := range registrations() {
		t.Run(method+"/"+name, func(t *testing.T) {
			ns, _ := logUDP(t)
			r := &session{recorder: openRecorder(t, ns, eachPacket()), register: register, hasErrfn: method != "Register"}
			r.ctx, r.cancel = context.WithCancel(t.Context())
			defer r.cancel()
			test(t, r)
		})
	}
}

// eachEnding runs a test with each ending and each method that registers a hook.
func eachEnding(t *testing.T, test func(*testing.T, *session, ending)) {
	for name, e := range endings() {
		eachSession(t, name, func(t *testing.T, r *session) { test(t, r, e) })
	}
}

func (r *session) begin(t testing.TB) {
	t.Helper()
	r.recorder.register(t, r.ctx, r.register)
}

// end ends the session.
func (r *session) end(t testing.TB, e ending) {
	t.Helper()
	if err := e.do(r.recorder, r.cancel); err != nil {
		t.Errorf("failed to end: %v", err)
	}
}

// checkEnd checks that the session has ended: no goroutine is left, the group is free, and the error function and
// the logger got the right errors.
func (r *session) checkEnd(t testing.TB, e ending) {
	t.Helper()
	awaitEnd(t)
	awaitFree(t, r.ns)
	errs, logged := r.takeErrors()
	if len(logged) != 0 {
		t.Errorf("unexpected errors in the log: %q", logged)
	}
	if r.hasErrfn && e.wantErr != nil {
		checkError(t, errs, e.wantErr)
	} else if len(errs) != 0 {
		t.Errorf("unexpected errors: %v", errs)
	}
	if e.closed {
		checkHookClosed(t, r.recorder)
	} else {
		checkRegisterAgain(t, r.recorder)
	}
}

// checkError checks that the error function got one error, of the right type.
func checkError(t testing.TB, errs []error, want error) {
	t.Helper()
	if len(errs) != 1 || !errors.Is(errs[0], want) {
		t.Fatalf("unexpected errors: %v, want %v", errs, want)
	}
	// Programs use type assertions, which don't unwrap errors.
	if got := reflect.TypeOf(errs[0]); got != reflect.TypeFor[*netlink.OpError]() {
		t.Fatalf("unexpected type of error: %v", got)
	}
	failed, ok := errors.AsType[*netlink.OpError](errs[0])
	if !ok || failed.Timeout() != errors.Is(want, os.ErrDeadlineExceeded) {
		t.Errorf("unexpected timeout: %t: %v", failed.Timeout(), failed)
	}
}

// checkHookClosed checks that all methods of a closed Nflog return ErrClosed.
func checkHookClosed(t testing.TB, h *recorder) {
	t.Helper()
	for name, register := range registrations() {
		if err := register(h.Nflog, t.Context(), h.hook, h.failed); !errors.Is(err, nflog.ErrClosed) {
			t.Errorf("unexpected error of %s: %v, want %v", name, err, nflog.ErrClosed)
		}
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Errorf("unexpected error of Close: %v", err)
		}
	}
	if err := h.SetOption(netlink.NoENOBUFS, true); !errors.Is(err, nflog.ErrClosed) {
		t.Errorf("unexpected error of SetOption: %v, want %v", err, nflog.ErrClosed)
	}
}

// checkRegisterAgain registers hooks again. They get only packets that are logged after that.
func checkRegisterAgain(t testing.TB, h *recorder) {
	t.Helper()
	h.on(nil, nil)
	for name, register := range registrations() {
		sendSized(t, h.ns, target4, 5, 100) // no hook is registered
		h.take()
		ctx, cancel := context.WithCancel(t.Context())
		h.register(t, ctx, register)
		if err := register(h.Nflog, ctx, h.hook, h.failed); !errors.Is(err, syscall.EBUSY) {
			t.Errorf("unexpected error of %s: %v, want %v", name, err, syscall.EBUSY)
		}
		sendSized(t, h.ns, target4, 3, 200)
		checkNew(t, h.await(t, 3), 200)
		cancel()
		awaitEnd(t)
		awaitFree(t, h.ns)
		h.takeErrors()
	}
}
