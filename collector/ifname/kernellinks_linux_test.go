// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// kernelLinks makes and changes interfaces of a network namespace.
type kernelLinks struct {
	t     *testing.T
	fd    int
	conn  *rtnetlink.Conn
	first map[uint32]string // names of the interfaces that each namespace has
}

// newKernelLinks makes a network namespace.
func newKernelLinks(t *testing.T) *kernelLinks {
	t.Helper()
	fd := kerneltest.NS(t).FD()
	conn, err := rtnetlink.Dial(&netlink.Config{NetNS: fd})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	l := &kernelLinks{t: t, fd: fd, conn: conn}
	l.first = l.names()
	return l
}

// and returns the names of the interfaces that each namespace has, and these. Beside the loopback, the kernel makes one for
// each kind of tunnel that is loaded, such as gre0.
func (l *kernelLinks) and(names map[uint32]string) map[uint32]string {
	all := maps.Clone(l.first)
	maps.Copy(all, names)
	return all
}

// veth makes a pair of interfaces: one with a name and an index, the other with "peer-" before the name and the next index.
func (l *kernelLinks) veth(name string, index uint32) {
	l.t.Helper()
	peer := &rtnetlink.LinkMessage{Index: index + 1, Attributes: &rtnetlink.LinkAttributes{Name: "peer-" + name}}
	err := l.conn.Link.New(&rtnetlink.LinkMessage{
		Index: index,
		Attributes: &rtnetlink.LinkAttributes{
			Name: name,
			Info: &rtnetlink.LinkInfo{Kind: "veth", Data: &driver.Veth{PeerInfo: peer}},
		},
	})
	if err != nil {
		l.t.Fatalf("make interface %s: %v", name, err)
	}
}

func (l *kernelLinks) bridge(name string, index uint32) {
	l.t.Helper()
	err := l.conn.Link.New(&rtnetlink.LinkMessage{
		Index:      index,
		Attributes: &rtnetlink.LinkAttributes{Name: name, Info: &rtnetlink.LinkInfo{Kind: "bridge"}},
	})
	if err != nil {
		l.t.Fatalf("make bridge %s: %v", name, err)
	}
}

// set changes an interface.
func (l *kernelLinks) set(m rtnetlink.LinkMessage) {
	l.t.Helper()
	if m.Attributes == nil {
		m.Attributes = &rtnetlink.LinkAttributes{}
	}
	if err := l.conn.Link.Set(&m); err != nil {
		l.t.Fatalf("change interface %d: %v", m.Index, err)
	}
}

// rename renames an interface, which must be down: kernels before 6.2 refuse it otherwise.
func (l *kernelLinks) rename(index uint32, name string) {
	l.t.Helper()
	l.set(rtnetlink.LinkMessage{Index: index, Attributes: &rtnetlink.LinkAttributes{Name: name}})
}

// master makes an interface a port of a bridge, or of none if master is 0.
func (l *kernelLinks) master(index, master uint32) {
	l.t.Helper()
	l.set(rtnetlink.LinkMessage{Index: index, Attributes: &rtnetlink.LinkAttributes{Master: &master}})
}

func (l *kernelLinks) delete(index uint32) {
	l.t.Helper()
	if err := l.conn.Link.Delete(index); err != nil {
		l.t.Fatalf("delete interface %d: %v", index, err)
	}
}

// names returns the names of all interfaces, as the kernel lists them.
func (l *kernelLinks) names() map[uint32]string {
	l.t.Helper()
	list, err := l.conn.Link.List()
	if err != nil {
		l.t.Fatalf("list interfaces: %v", err)
	}
	names := make(map[uint32]string)
	for _, m := range list {
		names[m.Index] = m.Attributes.Name
	}
	return names
}

// open follows the interfaces of the namespace until the test ends.
func (l *kernelLinks) open() *Names {
	l.t.Helper()
	in, err := Open(l.fd, log.NewNopLogger())
	if err != nil {
		l.t.Fatalf("open: %v", err)
	}
	l.t.Cleanup(in.Close)
	return in
}

// follow does the same as open with another size of the receive buffer. It also returns the socket for messages.
func (l *kernelLinks) follow(buffer int, logger log.Logger) (*Names, *netlink.Conn) {
	l.t.Helper()
	f, err := newLinkFollower(l.fd, logger)
	if err != nil {
		l.t.Fatalf("open: %v", err)
	}
	f.buffer = buffer
	messages, err := f.subscribe()
	if err != nil {
		f.close()
		l.t.Fatalf("subscribe: %v", err)
	}
	f.start(messages)
	l.t.Cleanup(f.names.Close)
	return f.names, messages
}

// presentNames returns the known names of interfaces that exist.
func presentNames(in *Names) map[uint32]string {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return maps.Clone(in.names)
}

// waitNames waits until these are the known names of interfaces that exist. It does not query names, so they come from
// messages.
func waitNames(t *testing.T, in *Names, want map[uint32]string) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		if diff := cmp.Diff(want, presentNames(in)); diff != "" {
			return fmt.Errorf("unexpected names (-want +got):\n%s", diff)
		}
		return nil
	})
}

func checkName(t *testing.T, in *Names, index uint32, want string) {
	t.Helper()
	if got := in.Name(index); got != want {
		t.Errorf("name of interface %d is %q, want %q", index, got, want)
	}
}
