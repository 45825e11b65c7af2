// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/go-kit/log"
	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// TestIntegrationNamesOverrun lets the socket for messages overflow, with no message after that.
func TestIntegrationNamesOverrun(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("deleted", 100)
	l.veth("replaced", 200)
	l.veth("renamed", 300)
	var overruns atomic.Int32
	in, _ := l.follow(1, log.LoggerFunc(func(...any) error {
		overruns.Add(1)
		return nil
	}))

	for round := range int32(3) {
		// The lock stops the follower at the first message.
		in.mu.Lock()
		for i := range uint32(20) {
			l.veth(fmt.Sprintf("v%d-%d", round, i), 1000*(uint32(round)+1)+2*i)
		}
		l.rename(300, fmt.Sprintf("renamed%d", round))
		l.delete(100)
		l.delete(200)
		l.veth(fmt.Sprintf("new%d", round), 200)
		in.mu.Unlock()

		waitNames(t, in, l.names())
		checkName(t, in, 101, "peer-deleted")
		if overruns.Load() <= round {
			t.Fatalf("round %d: the socket was not overrun", round)
		}
		l.veth("deleted", 100)
		waitNames(t, in, l.names())
	}
}

// TestIntegrationNamesChangeAfterOverrun changes a name right after all names were updated because of an overrun. If the
// socket was not empty then, the kernel sends neither a message about the change nor another error.
func TestIntegrationNamesChangeAfterOverrun(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("veth", 100)
	in, _ := l.follow(8<<10, log.NewNopLogger())

	in.mu.Lock()
	for i := range uint32(20) {
		l.veth(fmt.Sprintf("v%d", i), 1000+2*i)
	}
	// An update of all names queries that of an interface twice: among the known interfaces, and among those that exist.
	query, queries := in.query, 0
	in.query = func(index uint32) (string, error) {
		name, err := query(index)
		if index == 100 {
			queries++
		}
		if index == 100 && queries == 2 {
			if err := l.conn.Link.Set(&rtnetlink.LinkMessage{
				Index:      index,
				Attributes: &rtnetlink.LinkAttributes{Name: "renamed"},
			}); err != nil {
				t.Errorf("rename: %v", err)
			}
		}
		return name, err
	}
	in.mu.Unlock()

	want := l.names()
	want[100] = "renamed"
	waitNames(t, in, want)
}

// TestIntegrationNamesReopen checks that changes are followed again after a socket failed, even if the caller has closed its
// descriptor of the namespace.
func TestIntegrationNamesReopen(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("early", 200)
	fd, err := unix.Dup(l.fd)
	if err != nil {
		t.Fatalf("duplicate descriptor: %v", err)
	}
	l.fd = fd
	in, messages := l.follow(linkBuffer, log.NewNopLogger())
	if err := unix.Close(fd); err != nil {
		t.Fatalf("close descriptor: %v", err)
	}

	if err := messages.Close(); err != nil {
		t.Fatalf("close the socket for messages: %v", err)
	}
	l.rename(200, "late")
	l.veth("veth", 100)
	checkName(t, in, 100, "veth") // by a query
	want := l.and(map[uint32]string{100: "veth", 101: "peer-veth", 200: "late", 201: "peer-early"})
	waitNames(t, in, want)
	l.rename(100, "renamed")
	want[100] = "renamed"
	waitNames(t, in, want)
}
