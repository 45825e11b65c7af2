// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

func TestLinkName(t *testing.T) {
	// attribute returns an attribute whose header says length.
	attribute := func(length, typ uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, length)
		b = binary.NativeEndian.AppendUint16(b, typ)
		return append(b, value...)
	}
	name := attribute(7, unix.IFLA_IFNAME, 'l', 'o', 0, 0)
	mtu := attribute(8, unix.IFLA_MTU, 1, 2, 3, 4)

	tests := []struct {
		name       string
		attributes []byte
		want       string
	}{
		{name: "none", attributes: nil, want: ""},
		{name: "name", attributes: name, want: "lo"},
		{name: "name behind another", attributes: slices.Concat(mtu, name), want: "lo"},
		{name: "name before another", attributes: slices.Concat(name, mtu), want: "lo"},
		{name: "another", attributes: mtu, want: ""},
		{name: "empty name", attributes: attribute(4, unix.IFLA_IFNAME), want: ""},
		{name: "too short", attributes: attribute(2, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: ""},
		{name: "too long", attributes: attribute(80, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: ""},
		{name: "half a header", attributes: []byte{7, 0}, want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, linkName(tt.attributes)); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntegrationNamesFollow(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("early", 100)
	in := l.open()

	want := map[uint32]string{1: "lo", 100: "early", 101: "peer-early"}
	if diff := cmp.Diff(want, presentNames(in)); diff != "" {
		t.Fatalf("unexpected names at first (-want +got):\n%s", diff)
	}

	l.veth("late", 200)
	want[200], want[201] = "late", "peer-late"
	waitNames(t, in, want)

	l.rename(100, "renamed")
	want[100] = "renamed"
	waitNames(t, in, want)
	checkName(t, in, 100, "renamed")

	l.delete(100)
	delete(want, 100)
	delete(want, 101)
	waitNames(t, in, want)
	checkName(t, in, 100, "renamed")
	checkName(t, in, 101, "peer-early")

	l.veth("again", 100)
	want[100], want[101] = "again", "peer-again"
	waitNames(t, in, want)
	checkName(t, in, 100, "again")
}

// TestIntegrationNamesUnknown checks that an index which no interface has answers with the
// name as soon as one has it.
func TestIntegrationNamesUnknown(t *testing.T) {
	l := newKernelLinks(t)
	in := l.open()
	checkName(t, in, 0, "")
	checkName(t, in, 100, "if100")
	checkName(t, in, 1<<31, "if2147483648")
	before := in.Generation()

	l.veth("veth", 100)
	waitNames(t, in, map[uint32]string{1: "lo", 100: "veth", 101: "peer-veth"})
	checkName(t, in, 100, "veth")
	if in.Generation() == before {
		t.Error("the generation did not move")
	}
}

// TestIntegrationNamesQuery checks that a name is known before any message about it is read.
func TestIntegrationNamesQuery(t *testing.T) {
	l := newKernelLinks(t)
	f, err := newLinkFollower(l.fd, log.NewNopLogger())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer f.close()
	l.veth("veth", 100)
	checkName(t, f.names, 100, "veth")
	checkName(t, f.names, 101, "peer-veth")
	checkName(t, f.names, 102, "if102")
}

// TestIntegrationNamesOtherChanges checks that changes of anything but names do not move the
// generation, and that a port that leaves a bridge is not taken for deleted.
func TestIntegrationNamesOtherChanges(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("veth", 100)
	l.bridge("bridge", 200)
	in := l.open()
	want := map[uint32]string{1: "lo", 100: "veth", 101: "peer-veth", 200: "bridge"}
	before := in.Generation()

	for range 5 {
		l.set(rtnetlink.LinkMessage{Index: 100, Flags: unix.IFF_UP, Change: unix.IFF_UP})
		l.set(rtnetlink.LinkMessage{Index: 101, Flags: unix.IFF_UP, Change: unix.IFF_UP})
		l.set(rtnetlink.LinkMessage{Index: 100, Attributes: &rtnetlink.LinkAttributes{MTU: 1400}})
		l.master(100, 200)
		l.master(100, 0)
		l.set(rtnetlink.LinkMessage{Index: 101, Change: unix.IFF_UP})
		l.set(rtnetlink.LinkMessage{Index: 100, Attributes: &rtnetlink.LinkAttributes{MTU: 1500}})
	}
	// Messages come in order: after this one, all before it have been seen. A port that is
	// deleted leaves its bridge first.
	l.master(100, 200)
	l.rename(200, "done")
	want[200] = "done"
	waitNames(t, in, want)
	if moves := in.Generation() - before; moves != 1 {
		t.Errorf("the generation moved %d times, want once", moves)
	}

	l.delete(100)
	waitNames(t, in, map[uint32]string{1: "lo", 200: "done"})
	checkName(t, in, 100, "veth")
	if moves := in.Generation() - before; moves != 1 {
		t.Errorf("the generation moved %d times after a deletion, want once", moves)
	}
}

// TestIntegrationNamesChurn has readers ask for names while many interfaces come, change
// their names and go.
func TestIntegrationNamesChurn(t *testing.T) {
	const pairs = 250
	l := newKernelLinks(t)
	in := l.open()

	var done atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !done.Load() {
				for index := range uint32(1000 + 2*pairs) {
					in.Name(index)
				}
				time.Sleep(time.Millisecond) // leave the processor to the others
			}
		})
	}
	for i := range uint32(pairs) {
		l.veth(fmt.Sprintf("v%d", i), 1000+2*i)
	}
	for i := range uint32(pairs) {
		l.rename(1000+2*i, fmt.Sprintf("r%d", i))
	}
	for i := uint32(0); i < pairs; i += 2 {
		l.delete(1000 + 2*i)
	}
	done.Store(true)
	wg.Wait()

	waitNames(t, in, l.names())
	for i := range uint32(pairs) {
		checkName(t, in, 1000+2*i, fmt.Sprintf("r%d", i))
		checkName(t, in, 1001+2*i, fmt.Sprintf("peer-v%d", i))
	}
}

// TestIntegrationNamesClose checks that closing leaves neither descriptors nor goroutines, and
// that the names known by then still answer.
func TestIntegrationNamesClose(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("veth", 100)
	descriptors := func() int {
		t.Helper()
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatalf("list descriptors: %v", err)
		}
		return len(entries)
	}
	l.open().Close() // what the first use leaves open, such as the poller's
	before := descriptors()

	in := l.open()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			began := time.Now()
			in.Close()
			if d := time.Since(began); d > time.Second {
				t.Errorf("close took %v", d)
			}
		})
		wg.Go(func() {
			for index := range uint32(100) {
				in.Name(index)
			}
		})
	}
	wg.Wait()
	in.Close()
	checkName(t, in, 100, "veth")
	checkName(t, in, 300, "if300")
	kerneltest.Eventually(t, 10*time.Second, func() error {
		if after := descriptors(); after > before {
			return fmt.Errorf("%d descriptors are open, %d were before", after, before)
		}
		return nil
	})
}

// TestIntegrationNamesOwn opens the namespace of the process.
func TestIntegrationNamesOwn(t *testing.T) {
	in, err := Open(0, log.NewNopLogger())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer in.Close()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no loopback interface: %v", err)
	}
	checkName(t, in, uint32(lo.Index), "lo")
}

func TestIntegrationNamesBadNamespace(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tests := []struct {
		name  string
		netns int
		want  error
	}{
		{name: "not a descriptor", netns: 1 << 20, want: unix.EBADF},
		{name: "not a namespace", netns: int(file.Fd()), want: unix.EINVAL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Open(tt.netns, log.NewNopLogger())
			if err == nil {
				in.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("unexpected error: want %v, got %v", tt.want, err)
			}
		})
	}
}
