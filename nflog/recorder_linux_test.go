// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// soon is how long it takes at most until a reading has ended.
const soon = time.Second

// A registration registers a hook, by one of the two methods that do.
type registration func(n *nflog.Nflog, ctx context.Context, fn nflog.HookFunc, errfn nflog.ErrorFunc) error

// registrations returns the registrations by their names.
func registrations() map[string]registration {
	return map[string]registration{
		"Register": func(n *nflog.Nflog, ctx context.Context, fn nflog.HookFunc, _ nflog.ErrorFunc) error {
			return n.Register(ctx, fn)
		},
		"RegisterWithErrorFunc": (*nflog.Nflog).RegisterWithErrorFunc,
	}
}

// A recorder is an Nflog with a hook, and what its hook, its error function and its logger were called
// with.
type recorder struct {
	*nflog.Nflog
	ns *netns.NS

	mu       sync.Mutex
	onPacket func(nflog.Attribute) int // what the hook does and returns, if there is such a function
	onError  func(error) int           // what the error function does and returns
	onLog    func()                    // what Errorf does
	packets  []nflog.Attribute
	errs     []error
	errors   []string // of the logger
	debug    []string // of the logger
}

// openRecorder opens an Nflog in the namespace, which is closed when the test ends.
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

// eachPacket is a configuration by which each packet is delivered at once, with its number and whole.
func eachPacket() nflog.Config {
	return nflog.Config{Flags: nflog.FlagSeq, Copymode: nflog.CopyPacket, QThresh: 1}
}

// noENOBUFS leaves out the error that ends a reading, where the socket is too small for a flood, as that of
// an ordinary user may be.
func noENOBUFS(t testing.TB, h *recorder) {
	t.Helper()
	if err := h.SetOption(netlink.NoENOBUFS, true); err != nil {
		t.Fatalf("failed to set option: %v", err)
	}
}

// register registers the hook, for as long as the context is not done.
func (h *recorder) register(t testing.TB, ctx context.Context, register registration) {
	t.Helper()
	if err := register(h.Nflog, ctx, h.hook, h.failed); err != nil {
		t.Fatalf("failed to register: %v", err)
	}
}

// on sets what the functions do from then on.
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

// take returns what the hook was called with since it was called last.
func (h *recorder) take() []nflog.Attribute {
	h.mu.Lock()
	defer h.mu.Unlock()
	packets := h.packets
	h.packets = nil
	return packets
}

// await waits until the hook was called with so many packets, and takes them.
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

// takeErrors returns what the error function and Errorf were called with since it was called last.
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

// sendSized sends packets with that many bytes of data, by which they can be told from others.
func sendSized(t testing.TB, ns *netns.NS, packets, size int) {
	t.Helper()
	if err := traffic.UDP(ns, target4, packets, size); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
}

// checkNew checks that packets are those of a new binding: numbered from 0 on, with that many bytes
// of data.
func checkNew(t testing.TB, packets []nflog.Attribute, size int) {
	t.Helper()
	for i, a := range packets {
		if a.Seq == nil || *a.Seq != uint32(i) || a.Payload == nil || len(*a.Payload) != 28+size {
			t.Fatalf("unexpected packet %d: number %v, payload %v, want number %d and %d bytes", i, a.Seq, a.Payload, i, 28+size)
		}
	}
}

// libraryStacks returns the stacks of goroutines that the library has started or is called by.
func libraryStacks() (stacks []string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "nflog_exporter/nflog.") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// waiting reports whether a reading waits for packets.
func waiting() bool {
	return slices.ContainsFunc(libraryStacks(), func(stack string) bool {
		first, _, _ := strings.Cut(stack, "\n")
		return strings.Contains(first, "[IO wait") && strings.Contains(stack, "nflog.(*session).run")
	})
}

// awaitWaiting waits until a reading waits for packets.
func awaitWaiting(t testing.TB) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		if !waiting() {
			return errors.New("no reading waits")
		}
		return nil
	})
}

// awaitEnd waits until no goroutine of the library is left.
func awaitEnd(t testing.TB) {
	t.Helper()
	kerneltest.Eventually(t, soon, func() error {
		if stacks := libraryStacks(); len(stacks) > 0 {
			return fmt.Errorf("a goroutine is left:\n%s", stacks[0])
		}
		return nil
	})
}

// awaitFree waits until the group is free for another socket.
func awaitFree(t testing.TB, ns *netns.NS) {
	t.Helper()
	kerneltest.Eventually(t, soon, func() error {
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return err
		}
		return r.Close()
	})
}

// flood sends packets to the target, so many a second, until the function that it returns is called.
func flood(t testing.TB, ns *netns.NS, target netip.AddrPort, pps int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() {
		if _, err := traffic.Flood(ctx, ns, target, 0, 10, pps); err != nil {
			t.Errorf("failed to send: %v", err)
		}
	})
	stop = func() {
		cancel()
		sending.Wait()
	}
	t.Cleanup(stop)
	return stop
}
