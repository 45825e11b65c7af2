// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// alias sets the alias of an interface, or removes it if it is empty.
func (l *kernelLinks) alias(index uint32, alias string) {
	l.t.Helper()
	message := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(message[4:], index)
	attributes, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.IFLA_IFALIAS, Data: []byte(alias)}})
	if err == nil {
		_, err = l.raw().Execute(netlink.Message{
			Header: netlink.Header{Type: unix.RTM_SETLINK, Flags: netlink.Request | netlink.Acknowledge},
			Data:   append(message, attributes...),
		})
	}
	if err != nil {
		l.t.Fatalf("set the alias of interface %d: %v", index, err)
	}
}

// raw returns a socket for requests that rtnetlink does not have.
func (l *kernelLinks) raw() *netlink.Conn {
	l.t.Helper()
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: l.fd})
	if err != nil {
		l.t.Fatalf("dial: %v", err)
	}
	l.t.Cleanup(func() { conn.Close() })
	return conn
}

func waitAlias(t *testing.T, in *Names, index uint32, want string) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		if got := in.Alias(index); got != want {
			return fmt.Errorf("the alias of interface %d is %q, want %q", index, got, want)
		}
		return nil
	})
}

// TestIntegrationAliases sets, changes and removes aliases, and does other things to interfaces that have one.
func TestIntegrationAliases(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("early", 300)
	l.alias(300, "uplink carrier A")
	in := l.open()
	if got := in.Alias(300); got != "uplink carrier A" {
		t.Errorf("the alias is %q at first", got)
	}

	// The kernel sends no message about the alias of an interface that is down: netdev_state_change, net/core/dev.c.
	l.set(rtnetlink.LinkMessage{Index: 300, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	longest := strings.Repeat("ä", 127) + "x" // IFALIASZ of include/uapi/linux/if.h
	for _, alias := range []string{"carrier B", "", longest, "x\x01\xff\"", "last"} {
		l.alias(300, alias)
		waitAlias(t, in, 300, alias)
	}

	l.set(rtnetlink.LinkMessage{Index: 300, Change: unix.IFF_UP})
	l.alias(300, "changed while it is down")
	l.set(rtnetlink.LinkMessage{Index: 300, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	waitAlias(t, in, 300, "changed while it is down")
	l.alias(300, "last")
	l.set(rtnetlink.LinkMessage{Index: 300, Change: unix.IFF_UP})

	l.bridge("bridge", 200)
	l.master(300, 200)
	l.master(300, 0)
	l.rename(300, "renamed")
	waitNames(t, in, l.and(map[uint32]string{300: "renamed", 301: "peer-early", 200: "bridge"}))
	waitAlias(t, in, 300, "last")

	l.delete(300)
	waitNames(t, in, l.and(map[uint32]string{200: "bridge"}))
	waitAlias(t, in, 300, "last")
	l.veth("again", 300)
	waitNames(t, in, l.and(map[uint32]string{300: "again", 301: "peer-again", 200: "bridge"}))
	waitAlias(t, in, 300, "")
}

// TestIntegrationAliasesOverrun changes an alias while the socket for messages overflows.
func TestIntegrationAliasesOverrun(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("veth", 100)
	l.set(rtnetlink.LinkMessage{Index: 100, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	var overruns atomic.Int32
	in, _ := l.follow(1, log.LoggerFunc(func(...any) error {
		overruns.Add(1)
		return nil
	}))
	in.mu.Lock()
	for i := range uint32(50) {
		l.set(rtnetlink.LinkMessage{Index: 101, Attributes: &rtnetlink.LinkAttributes{MTU: 1400 + i}})
	}
	l.alias(100, "late")
	in.mu.Unlock()
	waitAlias(t, in, 100, "late")
	if overruns.Load() == 0 {
		t.Error("the socket was not overrun")
	}
}
