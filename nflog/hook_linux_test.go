// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// clone returns a deep copy of an attribute.
func clone(a nflog.Attribute) nflog.Attribute {
	for _, field := range reflect.ValueOf(&a).Elem().Fields() {
		if field.IsNil() {
			continue
		}
		value := reflect.New(field.Type().Elem())
		value.Elem().Set(field.Elem())
		if b, ok := reflect.TypeAssert[*[]byte](value); ok {
			*b = append([]byte{}, *b...)
		}
		field.Set(value)
	}
	return a
}

// TestIntegrationHookKeeps keeps the attributes of a hook, and checks them after many more packets.
func TestIntegrationHookKeeps(t *testing.T) {
	eachSession(t, "keep", func(t *testing.T, r *session) {
		var then []nflog.Attribute
		r.on(func(a nflog.Attribute) int {
			then = append(then, clone(a))
			return 0
		}, nil)
		r.begin(t)
		const each, sizes = 20, 50
		var now []nflog.Attribute
		for size := range sizes {
			sendSized(t, r.ns, target4, each, size)
			now = append(now, r.await(t, each)...)
		}
		r.cancel()
		r.checkEnd(t, ending{wantErr: os.ErrDeadlineExceeded})
		if !reflect.DeepEqual(then, now) {
			t.Errorf("packets have changed since the hook got them (-then +now):\n%s", cmp.Diff(then, now))
		}
		for i, a := range now {
			if *a.Seq != uint32(i) || len(*a.Payload) != 28+i/each || *a.Prefix != prefix || a.UID == nil {
				t.Fatalf("unexpected packet %d:\n%s", i, cmp.Diff(nflog.Attribute{}, a))
			}
		}
	})
}

// TestIntegrationHookInBatch ends a session in the middle of a batch.
func TestIntegrationHookInBatch(t *testing.T) {
	ns, _ := logUDP(t)
	config := eachPacket()
	config.QThresh = 10
	h := openRecorder(t, ns, config)
	h.on(func(a nflog.Attribute) int { return int(*a.Seq) / 3 }, nil)
	h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
	sendSized(t, ns, target4, 20, 10)
	awaitEnd(t)
	checkNew(t, h.await(t, 4), 10)

	h.on(nil, nil)
	h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
	sendSized(t, ns, target4, 10, 20)
	checkNew(t, h.await(t, 10), 20)
}

// TestIntegrationHookHeld registers a hook for a group that another socket holds.
func TestIntegrationHookHeld(t *testing.T) {
	eachSession(t, "held", func(t *testing.T, r *session) {
		holder := open(t, r.ns, nflog.ReaderConfig{})
		for range 2 {
			err := r.register(r.Nflog, r.ctx, r.hook, r.failed)
			held, ok := errors.AsType[*nflog.GroupHeldError](err)
			if !isHeld(err) || !ok || held.Group != group {
				t.Errorf("unexpected error: %v, want %v", err, nflog.ErrGroupHeld)
			}
		}
		checkHeld(t, r.ns) // by the same socket
		if err := holder.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
		checkRegisterAgain(t, r.recorder)
	})
}

// TestIntegrationHookNoCapability registers a hook on a thread without the capability.
func TestIntegrationHookNoCapability(t *testing.T) {
	eachSession(t, "no capability", func(t *testing.T, r *session) {
		err := r.ns.Do(func() error {
			if err := dropNetAdmin(); err != nil {
				return err
			}
			return r.register(r.Nflog, r.ctx, r.hook, r.failed)
		})
		if !errors.Is(err, nflog.ErrPermission) || errors.Is(err, nflog.ErrGroupHeld) {
			t.Errorf("unexpected error: %v, want %v", err, nflog.ErrPermission)
		}
		awaitEnd(t)
		checkRegisterAgain(t, r.recorder)
	})
}

// TestIntegrationHookNetNS closes the descriptor of the namespace after Open, which does not need it any more.
func TestIntegrationHookNetNS(t *testing.T) {
	eachSession(t, "closed", func(t *testing.T, r *session) {
		fd, err := unix.FcntlInt(uintptr(r.ns.FD()), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		n, err := nflog.Open(&nflog.Config{NetNS: fd, Group: group, Flags: nflog.FlagSeq, Copymode: nflog.CopyPacket, QThresh: 1})
		if closeErr := unix.Close(fd); closeErr != nil {
			t.Fatal(closeErr)
		}
		if err != nil {
			t.Fatalf("failed to open: %v", err)
		}
		h := &recorder{Nflog: n, ns: r.ns}
		defer func() {
			if err := h.Close(); err != nil {
				t.Errorf("failed to close: %v", err)
			}
		}()
		// The holder of a group is looked up in that namespace too.
		holder := open(t, r.ns, nflog.ReaderConfig{})
		err = r.register(n, r.ctx, h.hook, h.failed)
		if held, ok := errors.AsType[*nflog.GroupHeldError](err); !ok || held.PID != 0 && held.PID != os.Getpid() {
			t.Errorf("unexpected error: %v, want an error that names process %d", err, os.Getpid())
		}
		if err := holder.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
		checkRegisterAgain(t, h)
	})
}

// TestIntegrationHookOwnNamespace reads in the namespace of the thread that Open was called on.
func TestIntegrationHookOwnNamespace(t *testing.T) {
	eachSession(t, "own", func(t *testing.T, r *session) {
		h := &recorder{ns: r.ns}
		err := r.ns.Do(func() (err error) {
			h.Nflog, err = nflog.Open(&nflog.Config{Group: group, Flags: nflog.FlagSeq, Copymode: nflog.CopyPacket, QThresh: 1})
			return err
		})
		if err != nil {
			t.Fatalf("failed to open: %v", err)
		}
		defer func() {
			if err := h.Close(); err != nil {
				t.Errorf("failed to close: %v", err)
			}
		}()
		checkRegisterAgain(t, h)

		// The holder of the group is looked up there, not in the namespace of the thread that registers.
		holder := open(t, r.ns, nflog.ReaderConfig{})
		want := port(t, r.ns)
		other := kerneltest.NS(t)
		open(t, other, nflog.ReaderConfig{})
		err = other.Do(func() error { return r.register(h.Nflog, r.ctx, h.hook, h.failed) })
		if held, ok := errors.AsType[*nflog.GroupHeldError](err); !ok || held.PortID != want {
			t.Errorf("unexpected error: %v, want an error that names port %d", err, want)
		}
		if err := holder.Close(); err != nil {
			t.Errorf("failed to close reader: %v", err)
		}
	})
}

// TestIntegrationHookOpen opens an Nflog with invalid configurations, and without one.
func TestIntegrationHookOpen(t *testing.T) {
	ns := kerneltest.NS(t)
	for name, tt := range map[string]struct {
		config *nflog.Config
		want   error
	}{
		"nil":       {},
		"copy mode": {config: &nflog.Config{Copymode: nflog.CopyPacket + 1}, want: nflog.ErrCopyMode},
		"flag":      {config: &nflog.Config{Flags: nflog.FlagConntrack << 1}, want: nflog.ErrUnknownFlag},
		"namespace": {config: &nflog.Config{NetNS: 1 << 20}, want: unix.EBADF},
	} {
		t.Run(name, func(t *testing.T) {
			err := ns.Do(func() error {
				n, err := nflog.Open(tt.config)
				if err == nil {
					err = n.Close()
				}
				return err
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("unexpected error: %v, want %v", err, tt.want)
			}
		})
	}
}

// TestIntegrationHookConn sets buffers and options of the connection.
func TestIntegrationHookConn(t *testing.T) {
	ns, _ := logUDP(t)
	h := openRecorder(t, ns, eachPacket())
	if err := h.Con.SetReadBuffer(100_000); err != nil {
		t.Errorf("failed to set buffer: %v", err)
	}
	if n, err := h.Con.ReadBuffer(); err != nil || n != 200_000 {
		t.Errorf("unexpected buffer: %d, %v, want twice 100,000 bytes", n, err)
	}
	for _, enable := range []bool{true, false} {
		for _, option := range []netlink.ConnOption{netlink.NoENOBUFS, netlink.ExtendedAcknowledge, netlink.CapAcknowledge} {
			if err := h.SetOption(option, enable); err != nil {
				t.Errorf("failed to set option %d to %t: %v", option, enable, err)
			}
		}
		checkRegisterAgain(t, h)
	}
	if err := h.SetOption(99, true); !errors.Is(err, unix.ENOPROTOOPT) {
		t.Errorf("unexpected error: %v, want %v", err, unix.ENOPROTOOPT)
	}
}
