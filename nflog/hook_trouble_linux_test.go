// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// dropIncoming makes the socket drop everything that the kernel sends it, including acknowledgements.
func (h *recorder) dropIncoming(t testing.TB) {
	t.Helper()
	h.control(t, nflog.DropIncoming)
}

// restoreIncoming reverts dropIncoming.
func (h *recorder) restoreIncoming(t testing.TB) {
	t.Helper()
	h.control(t, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) })
}

// control calls a function with the descriptor of the connection.
func (h *recorder) control(t testing.TB, fn func(fd int) error) {
	t.Helper()
	conn, err := h.Con.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if controlErr := conn.Control(func(fd uintptr) { err = fn(int(fd)) }); controlErr != nil || err != nil {
		t.Fatal(controlErr, err)
	}
}

// TestIntegrationHookAckLost registers hooks on a socket that gets no acknowledgements. The kernel has bound the
// group, but it must not stay bound.
func TestIntegrationHookAckLost(t *testing.T) {
	eachSession(t, "acknowledgement", func(t *testing.T, r *session) {
		r.dropIncoming(t)
		for range 2 {
			if err := r.register(r.Nflog, r.ctx, r.hook, r.failed); err == nil {
				t.Error("unexpected success without an acknowledgement")
			}
			awaitFree(t, r.ns)
		}
		r.restoreIncoming(t)
		checkRegisterAgain(t, r.recorder)
	})
}

// TestIntegrationHookEndAckLost ends sessions on such a socket.
func TestIntegrationHookEndAckLost(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		r.begin(t)
		sendSized(t, r.ns, target4, 3, 10)
		r.await(t, 3)
		awaitWaiting(t, inSession)
		r.dropIncoming(t)
		r.end(t, e)
		awaitEnd(t)
		awaitFree(t, r.ns)
		if !e.closed {
			r.restoreIncoming(t)
		}
		r.checkEnd(t, e)
	})
}

// TestIntegrationHookUnbindRefused ends sessions on a thread without the capability to unbind the group. An error
// is logged, and the group stays bound until Close. The logger may call Close.
func TestIntegrationHookUnbindRefused(t *testing.T) {
	for name, closes := range map[string]bool{"logged": false, "logger closes": true} {
		eachSession(t, name, func(t *testing.T, r *session) {
			if closes {
				r.onLog = func() { _ = r.Close() }
			}
			r.on(func(nflog.Attribute) int {
				runtime.LockOSThread() // The thread ends with the goroutine.
				if err := dropNetAdmin(); err != nil {
					t.Errorf("failed to drop capability: %v", err)
				}
				return 1
			}, nil)
			r.begin(t)
			sendSized(t, r.ns, target4, 1, 10)
			awaitEnd(t)
			errs, logged := r.takeErrors()
			if len(errs) != 0 || len(logged) != 1 || !strings.Contains(logged[0], unix.EPERM.Error()) {
				t.Errorf("unexpected errors: %v, %q, want %v in the log", errs, logged, unix.EPERM)
			}
			if !closes {
				checkHeld(t, r.ns)
			}
			if err := r.Close(); err != nil {
				t.Errorf("failed to close: %v", err)
			}
			awaitFree(t, r.ns)
		})
	}
}

// TestIntegrationHookCalls calls the methods from inside the hook. None of them waits for the hook.
func TestIntegrationHookCalls(t *testing.T) {
	eachSession(t, "calls", func(t *testing.T, r *session) {
		r.on(func(nflog.Attribute) int {
			for name, register := range registrations() {
				if err := register(r.Nflog, r.ctx, r.hook, r.failed); !errors.Is(err, syscall.EBUSY) {
					t.Errorf("unexpected error of %s: %v, want %v", name, err, syscall.EBUSY)
				}
			}
			if err := errors.Join(
				r.SetOption(netlink.NoENOBUFS, true),
				r.Con.SetReadBuffer(1<<20),
				r.Con.SetReadDeadline(time.Now().Add(never)),
			); err != nil {
				t.Errorf("failed to set: %v", err)
			}
			return 0
		}, nil)
		r.begin(t)
		sendSized(t, r.ns, target4, 5, 10)
		checkNew(t, r.await(t, 5), 10)
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}

// TestIntegrationHookForeign sends a session messages from another socket.
func TestIntegrationHookForeign(t *testing.T) {
	eachSession(t, "foreign", func(t *testing.T, r *session) {
		sendForged := forge(t, r.ns, r.Con.PID())
		r.begin(t)
		for _, datagram := range [][]byte{good(1000), datagramOf(1, 2, 3), []byte("garbage")} {
			sendSized(t, r.ns, target4, 1, 10)
			sendForged(datagram)
		}
		sendSized(t, r.ns, target4, 1, 10)
		checkNew(t, r.await(t, 4), 10)
		const ignored = "ignored a message from another process"
		if diff := cmp.Diff([]string{ignored, ignored, ignored}, r.debug); diff != "" {
			t.Errorf("unexpected log (-want +got):\n%s", diff)
		}
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}
