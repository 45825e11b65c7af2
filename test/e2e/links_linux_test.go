// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// linkGroup is the group of interfaces (IFLA_GROUP) that deleteAll deletes.
const linkGroup = 7

// vethInfoPeer is VETH_INFO_PEER.
const vethInfoPeer = 1

// A linkMaker makes and changes many interfaces in a short time. Package netns is slower, as it waits after each change.
type linkMaker struct {
	ns   *netns.NS
	conn *netlink.Conn
}

// newLinkMaker returns a linkMaker. Without IPv6, the interfaces of the namespace send no packets of their own.
func newLinkMaker(t *testing.T, ns *netns.NS) linkMaker {
	t.Helper()
	if err := ns.Sysctl("net/ipv6/conf/default/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("failed to prepare: %v", err)
	}
	m := linkMaker{ns: ns}
	must(t, ns.Do(func() (err error) {
		m.conn, err = netlink.Dial(unix.NETLINK_ROUTE, nil)
		return err
	}))
	t.Cleanup(func() { m.conn.Close() })
	return m
}

// execute sends a request about an interface.
func (m linkMaker) execute(typ netlink.HeaderType, flags netlink.HeaderFlags, index, up uint32, encode func(*netlink.AttributeEncoder)) error {
	data := ifInfo(index, up)
	ae := netlink.NewAttributeEncoder()
	encode(ae)
	attributes, err := ae.Encode()
	if err != nil {
		return err
	}
	_, err = m.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: typ, Flags: netlink.Request | netlink.Acknowledge | flags},
		Data:   append(data, attributes...),
	})
	return err
}

// ifInfo returns a struct ifinfomsg, which sets the interface up if up is unix.IFF_UP.
func ifInfo(index, up uint32) []byte {
	b := make([]byte, 8, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)
	b = binary.NativeEndian.AppendUint32(b, up)
	return binary.NativeEndian.AppendUint32(b, unix.IFF_UP) // mask of the flags to change
}

// pair makes a veth pair with the ends name+"a" and name+"b". Both are up.
func (m linkMaker) pair(name string) error {
	err := m.execute(unix.RTM_NEWLINK, netlink.Create|netlink.Excl, 0, unix.IFF_UP, func(ae *netlink.AttributeEncoder) {
		ae.String(unix.IFLA_IFNAME, name+"a")
		ae.Uint32(unix.IFLA_GROUP, linkGroup)
		ae.Nested(unix.IFLA_LINKINFO, func(ae *netlink.AttributeEncoder) error {
			ae.String(unix.IFLA_INFO_KIND, "veth")
			ae.Nested(unix.IFLA_INFO_DATA, func(ae *netlink.AttributeEncoder) error {
				peer := netlink.NewAttributeEncoder()
				peer.String(unix.IFLA_IFNAME, name+"b")
				attributes, err := peer.Encode()
				ae.Bytes(vethInfoPeer, append(ifInfo(0, 0), attributes...)) // can't be up before its peer
				return err
			})
			return nil
		})
	})
	if err == nil {
		err = m.execute(unix.RTM_SETLINK, 0, 0, unix.IFF_UP, func(ae *netlink.AttributeEncoder) { ae.String(unix.IFLA_IFNAME, name+"b") })
	}
	if err != nil {
		return fmt.Errorf("make veth pair %s: %w", name, err)
	}
	return nil
}

// rename renames an interface.
func (m linkMaker) rename(index uint32, to string) error {
	name := func(ae *netlink.AttributeEncoder) { ae.String(unix.IFLA_IFNAME, to) }
	nothing := func(*netlink.AttributeEncoder) {}
	err := m.execute(unix.RTM_SETLINK, 0, index, unix.IFF_UP, name)
	if errors.Is(err, unix.EBUSY) { // kernels before 6.2
		err = errors.Join(
			m.execute(unix.RTM_SETLINK, 0, index, 0, nothing),
			m.execute(unix.RTM_SETLINK, 0, index, 0, name),
			m.execute(unix.RTM_SETLINK, 0, index, unix.IFF_UP, nothing),
		)
	}
	if err != nil {
		return fmt.Errorf("rename interface %d to %s: %w", index, to, err)
	}
	return nil
}

// deleteAll deletes all pairs in one request.
func (m linkMaker) deleteAll() error {
	return m.execute(unix.RTM_DELLINK, 0, 0, 0, func(ae *netlink.AttributeEncoder) { ae.Uint32(unix.IFLA_GROUP, linkGroup) })
}

// all returns all interfaces that are up, except loopback. Where a module for tunnels is loaded, each namespace has one that is
// down, such as gre0.
func (m linkMaker) all() (ifis []net.Interface, err error) {
	err = m.ns.Do(func() error {
		ifis, err = net.Interfaces()
		return err
	})
	return slices.DeleteFunc(ifis, func(ifi net.Interface) bool { return ifi.Flags&(net.FlagUp|net.FlagLoopback) != net.FlagUp }), err
}

// A broadcaster sends broadcast datagrams to port discard. The interfaces need no addresses.
type broadcaster struct{ fd int }

func newBroadcaster(t *testing.T, ns *netns.NS) broadcaster {
	t.Helper()
	var b broadcaster
	must(t, ns.Do(func() (err error) {
		b.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return errors.Join(err, unix.SetsockoptInt(b.fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1))
	}))
	t.Cleanup(func() { unix.Close(b.fd) })
	return b
}

// send sends a datagram by the interface with that index, if it exists.
func (b broadcaster) send(index int) error {
	to := &unix.SockaddrInet4{Port: discard, Addr: [4]byte{255, 255, 255, 255}}
	err := unix.Sendmsg(b.fd, make([]byte, 10), unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(index)}), to, 0)
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.ENXIO):
		return nil // the interface is deleted, or not up yet
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOBUFS):
		return nil // logged, and dropped
	}
	return err
}

// run sends about 20,000 datagrams a second, by each interface that indexes returns in turn, until stop is closed.
func (b broadcaster) run(stop <-chan struct{}, indexes func() []int) error {
	for {
		for i, index := range indexes() {
			if err := b.send(index); err != nil {
				return fmt.Errorf("send by interface %d: %w", index, err)
			}
			if i%20 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}
