// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"errors"
	"fmt"
	"net"
	"os"
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

// TestIntegrationNamesFollow creates, renames and deletes interfaces.
func TestIntegrationNamesFollow(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("early", 100)
	in := l.open()

	want := l.and(map[uint32]string{100: "early", 101: "peer-early"})
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

// TestIntegrationNamesUnknown checks that an unknown index has a name once an interface gets that index.
func TestIntegrationNamesUnknown(t *testing.T) {
	l := newKernelLinks(t)
	in := l.open()
	checkName(t, in, 0, "")
	checkName(t, in, 100, "if100")
	checkName(t, in, 1<<31, "if2147483648")
	before := in.Generation()

	l.veth("veth", 100)
	waitNames(t, in, l.and(map[uint32]string{100: "veth", 101: "peer-veth"}))
	checkName(t, in, 100, "veth")
	if in.Generation() == before {
		t.Error("the generation has not changed")
	}
}

// TestIntegrationNamesQuery checks that a name is found before a message about it is read.
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

// TestIntegrationNamesOtherChanges checks that the generation changes only with names, and that a port that leaves a bridge
// does not count as deleted.
func TestIntegrationNamesOtherChanges(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("veth", 100)
	l.bridge("bridge", 200)
	in := l.open()
	want := l.and(map[uint32]string{100: "veth", 101: "peer-veth", 200: "bridge"})
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
	// Messages come in order: once the new name is known, all messages before it are read. A port leaves its bridge before
	// it is deleted.
	l.master(100, 200)
	l.rename(200, "done")
	want[200] = "done"
	waitNames(t, in, want)
	if changes := in.Generation() - before; changes != 1 {
		t.Errorf("the generation changed %d times, want once", changes)
	}

	l.delete(100)
	waitNames(t, in, l.and(map[uint32]string{200: "done"}))
	checkName(t, in, 100, "veth")
	if changes := in.Generation() - before; changes != 1 {
		t.Errorf("the generation changed %d times after a deletion, want once", changes)
	}
}

// TestIntegrationNamesChurn looks up names while many interfaces are created, renamed and deleted.
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
				time.Sleep(time.Millisecond) // leaves the CPU to the other goroutines
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

// TestIntegrationNamesClose checks that Close leaves no descriptor open, and that known names are still found.
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
	l.open().Close() // the first use opens descriptors that stay, such as that of the poller
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

// TestIntegrationNamesOwn follows the network namespace of the process.
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
