// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
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

	// patience is how long a test waits for what has to happen.
	patience = 30 * time.Second

	// never is a queue timeout that no test lives to see.
	never = time.Hour
)

func TestMain(m *testing.M) {
	if os.Getenv(holdGroup) != "" {
		os.Exit(hold())
	}
	skipExamples()
	kerneltest.Main(m)
}

// skipExamples skips the examples, which can't do so themselves, where namespaces are forbidden. In CI
// nothing may be missing unnoticed.
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

// Where the packets go that the rule of logUDP logs.
var (
	target4 = netip.MustParseAddrPort("127.0.0.1:9")
	target6 = netip.MustParseAddrPort("[::1]:9")
)

// logUDP returns a namespace where packets to the targets are logged to the group, and dropped. They
// have been logged by the time that they are sent.
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

// logged returns how many packets a rule has logged.
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
	if err := traffic.UDP(ns, target, packets, 10); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
}

// open returns a reader of the group in the namespace, which is closed when the test ends.
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

// receive receives packets until there are so many of them.
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

// setDeadline sets until when Receive may wait.
func setDeadline(t testing.TB, r *nflog.Reader, deadline time.Time) {
	t.Helper()
	if err := r.SetReadDeadline(deadline); err != nil {
		t.Fatalf("failed to set deadline: %v", err)
	}
}

// receiveAll receives packets until there is nothing left after Unbind.
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

// checkNumbers checks that packets are numbered one after the other from a number on.
func checkNumbers(t testing.TB, packets []values, from uint32) {
	t.Helper()
	for i, p := range packets {
		if want := some(from + uint32(i)); p.Seq != want {
			t.Fatalf("unexpected number of packet %d: %+v, want %+v", i, p.Seq, want)
		}
	}
}

// skipUnnumbered returns what follows the packets that came while the kernel handled the binding,
// before it began to number them.
func skipUnnumbered(packets []values) []values {
	if i := slices.IndexFunc(packets, func(p values) bool { return p.Seq.OK }); i >= 0 {
		return packets[i:]
	}
	return nil
}

// awaitReceive waits until a goroutine waits in Receive.
func awaitReceive(t testing.TB) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		for stack := range strings.SplitSeq(string(buf), "\n\n") {
			first, _, _ := strings.Cut(stack, "\n")
			if strings.Contains(first, "[IO wait") && strings.Contains(stack, "nflog.(*Reader).Receive") {
				return nil
			}
		}
		return errors.New("no goroutine waits in Receive")
	})
}

// within returns what a channel gives, which has to be soon.
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
