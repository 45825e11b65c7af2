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

// dropIncoming makes the socket drop all that the kernel sends it, also answers.
func (h *recorder) dropIncoming(t testing.TB) {
	t.Helper()
	dropAll := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	h.control(t, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &dropAll})
	})
}

// restoreIncoming undoes dropIncoming.
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

// TestIntegrationHookAnswerLost registers hooks on a socket that no answer of the kernel reaches. The
// kernel has bound the group, but must not keep it.
func TestIntegrationHookAnswerLost(t *testing.T) {
	eachSession(t, "answer", func(t *testing.T, r *session) {
		r.dropIncoming(t)
		for range 2 {
			if err := r.register(r.Nflog, r.ctx, r.hook, r.failed); err == nil {
				t.Error("unexpected success without an answer")
			}
			awaitFree(t, r.ns)
		}
		r.restoreIncoming(t)
		checkRegisterAgain(t, r.recorder)
	})
}

// TestIntegrationHookEndAnswerLost ends readings on such a socket.
func TestIntegrationHookEndAnswerLost(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *session, e ending) {
		r.begin(t)
		sendSized(t, r.ns, 3, 10)
		r.await(t, 3)
		awaitWaiting(t)
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

// TestIntegrationHookUnbindRefused ends readings on a thread without the capability to unbind the
// group. That is logged, and the group stays bound until Close, which the logger may call.
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
			sendSized(t, r.ns, 1, 10)
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

// TestIntegrationHookCalls calls the methods from inside the hook, none of which waits for it.
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
		sendSized(t, r.ns, 5, 10)
		checkNew(t, r.await(t, 5), 10)
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}

// TestIntegrationHookForeign sends a reading messages that are not the kernel's.
func TestIntegrationHookForeign(t *testing.T) {
	eachSession(t, "foreign", func(t *testing.T, r *session) {
		var fd int
		err := r.ns.Do(func() (err error) {
			fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
			return err
		})
		if err != nil {
			t.Fatalf("failed to make socket: %v", err)
		}
		defer unix.Close(fd)
		r.begin(t)
		for _, datagram := range [][]byte{good(1000), datagramOf(1, 2, 3), []byte("rubbish")} {
			sendSized(t, r.ns, 1, 10)
			if err := unix.Sendto(fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: r.Con.PID()}); err != nil {
				t.Fatalf("failed to send: %v", err)
			}
		}
		sendSized(t, r.ns, 1, 10)
		checkNew(t, r.await(t, 4), 10)
		const ignored = "ignored a message from another process"
		if diff := cmp.Diff([]string{ignored, ignored, ignored}, r.debug); diff != "" {
			t.Errorf("unexpected log (-want +got):\n%s", diff)
		}
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
	})
}
