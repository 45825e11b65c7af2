// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

const (
	prefix = "test output drop "

	// patience is how long a test waits for something that must happen.
	patience = 30 * time.Second

	// never is a queue timeout longer than any test.
	never = time.Hour
)

func TestMain(m *testing.M) {
	if os.Getenv(holdGroup) != "" {
		os.Exit(hold())
	}
	skipExamples()
	kerneltest.Main(m)
}

// skipExamples skips the examples if the process may not create namespaces: an example can't skip itself. It does
// nothing in CI, where a missing test must be noticed.
func skipExamples() {
	if os.Getenv("CI") != "" {
		return
	}
	ns, err := netns.New()
	if err == nil {
		ns.Close()
	}
	if !errors.Is(err, unix.EPERM) {
		return
	}
	flag.Parse()
	skip := flag.Lookup("test.skip")
	if err := skip.Value.Set(strings.TrimPrefix(skip.Value.String()+"|^Example", "|")); err != nil {
		panic(err)
	}
}

// Targets of the packets that the rule of logUDP logs.
var (
	target4 = netip.MustParseAddrPort("127.0.0.1:9")
	target6 = netip.MustParseAddrPort("[::1]:9")
)

// logUDP returns a namespace with a rule that logs packets to the targets to the group and drops them. A packet
// is logged before the call that sends it returns.
func logUDP(t testing.TB) (*netns.NS, *nftrules.Rule) {
	t.Helper()
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, prefix, nftrules.UDPPort(target4.Port()), nftrules.Drop())
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	return ns, rule
}

// logged returns the number of packets that a rule has logged.
func logged(t testing.TB, rule *nftrules.Rule) uint64 {
	t.Helper()
	packets, _, err := rule.Count()
	if err != nil {
		t.Fatalf("failed to count: %v", err)
	}
	return packets
}

// send sends packets to a target.
func send(t testing.TB, ns *netns.NS, target netip.AddrPort, packets int) {
	t.Helper()
	sendSized(t, ns, target, packets, 10)
}

// sendSized sends packets with size bytes of data to a target.
func sendSized(t testing.TB, ns *netns.NS, target netip.AddrPort, packets, size int) {
	t.Helper()
	if err := traffic.UDP(ns, target, packets, size); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
}

// flood sends pps packets per second to a target, or as many as possible if pps is 0, until stop is called.
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

// open opens a reader of the group in the namespace. It is closed when the test ends.
func open(t testing.TB, ns *netns.NS, config nflog.ReaderConfig) *nflog.Reader {
	t.Helper()
	config.NetNS = ns.FD()
	r, err := nflog.OpenReader(group, config)
	if err != nil {
		t.Fatalf("failed to open reader: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("failed to close reader: %v", err)
		}
	})
	return r
}

// receive receives batches until they hold at least that many packets.
func receive(t testing.TB, r *nflog.Reader, packets int) []values {
	t.Helper()
	setDeadline(t, r, time.Now().Add(patience))
	var got []values
	for len(got) < packets {
		batch, err := r.Receive()
		if err != nil {
			t.Fatalf("failed to receive after %d of %d packets: %v", len(got), packets, err)
		}
		for p := range batch.Packets() {
			got = append(got, valuesOf(p))
		}
	}
	setDeadline(t, r, time.Time{})
	return got
}

// setDeadline sets the deadline of Receive.
func setDeadline(t testing.TB, r *nflog.Reader, deadline time.Time) {
	t.Helper()
	if err := r.SetDeadline(deadline); err != nil {
		t.Fatalf("failed to set deadline: %v", err)
	}
}

// receiveQueued receives the queued packets.
func receiveQueued(t testing.TB, r *nflog.Reader) {
	t.Helper()
	for r.Stats().Socket.Queued > 0 {
		if _, err := r.Receive(); err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
	}
}

// receiveAll receives packets until nothing is left after Unbind.
func receiveAll(t testing.TB, r *nflog.Reader) []values {
	t.Helper()
	var got []values
	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatalf("failed to receive after %d packets: %v", len(got), err)
		}
		for p := range batch.Packets() {
			got = append(got, valuesOf(p))
		}
	}
}

// checkNumbers checks that the sequence numbers of packets are consecutive and begin at from.
func checkNumbers(t testing.TB, packets []values, from uint32) {
	t.Helper()
	for i, p := range packets {
		if want := some(from + uint32(i)); p.Seq != want {
			t.Fatalf("unexpected sequence number of packet %d: %+v, want %+v", i, p.Seq, want)
		}
	}
}

// skipUnnumbered returns the packets from the first one with a sequence number on. The kernel does not number
// packets that are logged during the binding.
func skipUnnumbered(packets []values) []values {
	if i := slices.IndexFunc(packets, func(p values) bool { return p.Seq.OK }); i >= 0 {
		return packets[i:]
	}
	return nil
}

// within returns the next value of a channel. It fails the test if none comes.
func within[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing happened within %v", patience)
		panic("not reached")
	}
}
