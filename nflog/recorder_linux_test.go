// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// soon is how long a session may take to end.
const soon = time.Second

// A registration registers a hook with one of the two methods for that.
type registration func(n *nflog.Nflog, ctx context.Context, fn nflog.HookFunc, errfn nflog.ErrorFunc) error

// registrations returns the registrations by method name.
func registrations() map[string]registration {
	return map[string]registration{
		"Register": func(n *nflog.Nflog, ctx context.Context, fn nflog.HookFunc, _ nflog.ErrorFunc) error {
			return n.Register(ctx, fn)
		},
		"RegisterWithErrorFunc": (*nflog.Nflog).RegisterWithErrorFunc,
	}
}

// A recorder is an Nflog with a hook, an error function and a logger that record their calls.
type recorder struct {
	*nflog.Nflog
	ns *netns.NS

	mu       sync.Mutex
	onPacket func(nflog.Attribute) int // called by the hook, if not nil
	onError  func(error) int           // called by the error function, if not nil
	onLog    func()                    // called by Errorf, if not nil
	packets  []nflog.Attribute
	errs     []error
	errors   []string // logged by Errorf
	debug    []string // logged by Debugf
}

// openRecorder opens an Nflog in the namespace. It is closed when the test ends.
func openRecorder(t testing.TB, ns *netns.NS, config nflog.Config) *recorder {
	t.Helper()
	h := &recorder{ns: ns}
	config.NetNS, config.Group, config.Logger = ns.FD(), group, h
	n, err := nflog.Open(&config)
	if err != nil {
		t.Fatalf("failed to open: %v", err)
	}
	h.Nflog = n
	t.Cleanup(func() { h.close(t) })
	return h
}

// eachPacket returns a configuration that delivers each packet at once, complete and with a sequence number.
func eachPacket() nflog.Config {
	return nflog.Config{Flags: nflog.FlagSeq, Copymode: nflog.CopyPacket, QThresh: 1}
}

// noENOBUFS turns off the error that ends Register when the socket is too small for a flood: an ordinary user's
// socket is small.
func noENOBUFS(t testing.TB, h *recorder) {
	t.Helper()
	if err := h.SetOption(netlink.NoENOBUFS, true); err != nil {
		t.Fatalf("failed to set option: %v", err)
	}
}

// register registers the hook until the context is done.
func (h *recorder) register(t testing.TB, ctx context.Context, register registration) {
	t.Helper()
	if err := register(h.Nflog, ctx, h.hook, h.failed); err != nil {
		t.Fatalf("failed to register: %v", err)
	}
}

// on sets the functions that the hook and the error function call.
func (h *recorder) on(packet func(nflog.Attribute) int, err func(error) int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onPacket, h.onError = packet, err
}

func (h *recorder) hook(a nflog.Attribute) int {
	h.mu.Lock()
	h.packets = append(h.packets, a)
	do := h.onPacket
	h.mu.Unlock()
	if do == nil {
		return 0
	}
	return do(a)
}

func (h *recorder) failed(err error) int {
	h.mu.Lock()
	h.errs = append(h.errs, err)
	do := h.onError
	h.mu.Unlock()
	if do == nil {
		return 0
	}
	return do(err)
}

func (h *recorder) Debugf(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.debug = append(h.debug, fmt.Sprintf(format, args...))
}

func (h *recorder) Errorf(format string, args ...any) {
	h.mu.Lock()
	h.errors = append(h.errors, fmt.Sprintf(format, args...))
	do := h.onLog
	h.mu.Unlock()
	if do != nil {
		do()
	}
}

// take returns the packets that the hook got since the previous take.
func (h *recorder) take() []nflog.Attribute {
	h.mu.Lock()
	defer h.mu.Unlock()
	packets := h.packets
	h.packets = nil
	return packets
}

// await waits until the hook has got that many packets, and takes them.
func (h *recorder) await(t testing.TB, packets int) []nflog.Attribute {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if n := len(h.packets); n < packets {
			return fmt.Errorf("the hook got %d packets, want %d", n, packets)
		}
		return nil
	})
	got := h.take()
	if len(got) != packets {
		t.Fatalf("the hook got %d packets, want %d", len(got), packets)
	}
	return got
}

// takeErrors returns what the error function and Errorf got since the previous takeErrors.
func (h *recorder) takeErrors() (errs []error, logged []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	errs, logged = h.errs, h.errors
	h.errs, h.errors = nil, nil
	return errs, logged
}

func (h *recorder) close(t testing.TB) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Errorf("failed to close: %v", err)
	}
}

// checkNew checks that packets belong to a new binding: their sequence numbers begin at 0. They must have size
// bytes of data.
func checkNew(t testing.TB, packets []nflog.Attribute, size int) {
	t.Helper()
	for i, a := range packets {
		if a.Seq == nil || *a.Seq != uint32(i) || a.Payload == nil || len(*a.Payload) != 28+size {
			t.Fatalf("unexpected packet %d: sequence number %v, payload %v, want sequence number %d and %d bytes", i, a.Seq, a.Payload, i, 28+size)
		}
	}
}

// awaitEnd waits until no goroutine runs a function of the library.
func awaitEnd(t testing.TB) {
	t.Helper()
	kerneltest.Eventually(t, soon, func() error {
		if left := stacks("nflog_exporter/nflog."); len(left) > 0 {
			return fmt.Errorf("a goroutine is left:\n%s", left[0])
		}
		return nil
	})
}

// awaitFree waits until another socket can bind the group.
func awaitFree(t testing.TB, ns *netns.NS) {
	t.Helper()
	kerneltest.Eventually(t, soon, func() error {
		return openAndClose(nflog.ReaderConfig{NetNS: ns.FD()})
	})
}
