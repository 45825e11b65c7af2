// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// discard is the default destination port.
const discard = 9

// A network is a router that routes between two hosts, and bridges two others:
//
//	left ---- eth0 router eth1 ---- right
//	            port0 |br0| port1
//	       upper ----/     \---- lower
//
// A socket receives UDP datagrams to port discard, so that no ICMP error answers
// them.
type network struct {
	router, left, right, upper, lower *netns.NS
}

// Addresses of the network. Each end has an IPv4 and an IPv6 address. Those at the
// bridge have only IPv4: links with IPv6 addresses do no ARP (package netns).
var (
	left4, left6         = netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	routerL4, routerL6   = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	right4, right6       = netip.MustParseAddr("10.0.1.2"), netip.MustParseAddr("fd00:1::2")
	routerR4, routerR6   = netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("fd00:1::1")
	upper4, lower4       = netip.MustParseAddr("10.0.2.2"), netip.MustParseAddr("10.0.2.3")
	bridge4              = netip.MustParseAddr("10.0.2.1")
	loopback4, loopback6 = netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
)

// newNetwork makes a network.
func newNetwork(t *testing.T) network {
	t.Helper()
	n := network{kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t)}
	must(t,
		n.router.Forward(),
		netns.Veth(n.left, "eth0", ends(left4, left6), n.router, "eth0", ends(routerL4, routerL6)),
		netns.Veth(n.right, "eth0", ends(right4, right6), n.router, "eth1", ends(routerR4, routerR6)),
		n.left.AddDefaultRoute(routerL4),
		n.left.AddDefaultRoute(routerL6),
		n.right.AddDefaultRoute(routerR4),
		n.right.AddDefaultRoute(routerR6),

		netns.Veth(n.upper, "eth0", ends(upper4), n.router, "port0", nil),
		netns.Veth(n.lower, "eth0", ends(lower4), n.router, "port1", nil),
		netns.Bridge(n.router, "br0", "port0", "port1"),
		hideFromIP(n.router),
		n.router.AddAddresses("br0", ends(bridge4)...),
	)
	// The kernel knows these neighbours, so that only tests send ARP requests.
	must(t,
		n.upper.AddNeighbor("eth0", lower4, mac(t, n.lower, "eth0")),
		n.upper.AddNeighbor("eth0", bridge4, mac(t, n.router, "br0")),
		n.router.AddNeighbor("br0", upper4, mac(t, n.upper, "eth0")),
	)
	for _, ns := range []*netns.NS{n.router, n.left, n.right, n.upper, n.lower} {
		sink(t, ns)
	}
	return n
}

// hideFromIP keeps bridged packets from the IP hooks, which cut off padding. The
// setting exists only where module br_netfilter is loaded.
func hideFromIP(ns *netns.NS) error {
	err := ns.Sysctl("net/bridge/bridge-nf-call-iptables", "0")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ends returns addresses with the prefix lengths of their networks.
func ends(addrs ...netip.Addr) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, addr := range addrs {
		bits := 64
		if addr.Is4() {
			bits = 24
		}
		prefixes = append(prefixes, netip.PrefixFrom(addr, bits))
	}
	return prefixes
}

// mac returns the hardware address of a link.
func mac(t *testing.T, ns *netns.NS, name string) net.HardwareAddr {
	t.Helper()
	ifi, err := ns.Interface(name)
	must(t, err)
	return ifi.HardwareAddr
}

// pair returns two namespaces that are joined by eth0 on each side. The sender has
// the addresses left4 and left6; the receiver has routerL4 and routerL6, and a
// socket at port discard.
func pair(t *testing.T) (sender, receiver *netns.NS) {
	t.Helper()
	sender, receiver = kerneltest.NS(t), kerneltest.NS(t)
	must(t, netns.Veth(sender, "eth0", ends(left4, left6), receiver, "eth0", ends(routerL4, routerL6)))
	sink(t, receiver)
	return sender, receiver
}

// sink opens a socket at port discard of a namespace.
func sink(t *testing.T, ns *netns.NS) {
	t.Helper()
	s, err := traffic.Sink(ns, toPort(netip.IPv6Unspecified()))
	must(t, err)
	t.Cleanup(func() { s.Close() })
}

// toPort returns an address with port discard.
func toPort(addr netip.Addr) netip.AddrPort { return netip.AddrPortFrom(addr, discard) }

// must fails the test if there is an error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}
