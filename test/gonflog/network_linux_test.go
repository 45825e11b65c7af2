// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// Addresses of a routed network. The router's links are called left and right, those
// of the hosts eth0.
var (
	leftHost4, leftRouter4   = netip.MustParsePrefix("10.0.1.2/24"), netip.MustParsePrefix("10.0.1.1/24")
	leftHost6, leftRouter6   = netip.MustParsePrefix("fd00:1::2/64"), netip.MustParsePrefix("fd00:1::1/64")
	rightHost4, rightRouter4 = netip.MustParsePrefix("10.0.2.2/24"), netip.MustParsePrefix("10.0.2.1/24")
	rightHost6, rightRouter6 = netip.MustParsePrefix("fd00:2::2/64"), netip.MustParsePrefix("fd00:2::1/64")
)

// A network is two hosts with a router or a bridge between them.
type network struct {
	left, middle, right *netns.NS
}

// newRouted returns a network with a router in the middle.
func newRouted(t testing.TB) network {
	t.Helper()
	n := network{left: kerneltest.NS(t), middle: kerneltest.NS(t), right: kerneltest.NS(t)}
	must(t, n.middle.Forward())
	must(t, netns.Veth(n.left, "eth0", []netip.Prefix{leftHost4, leftHost6}, n.middle, "left", []netip.Prefix{leftRouter4, leftRouter6}))
	must(t, netns.Veth(n.right, "eth0", []netip.Prefix{rightHost4, rightHost6}, n.middle, "right", []netip.Prefix{rightRouter4, rightRouter6}))
	must(t, errors.Join(
		n.left.AddDefaultRoute(leftRouter4.Addr()), n.left.AddDefaultRoute(leftRouter6.Addr()),
		n.right.AddDefaultRoute(rightRouter4.Addr()), n.right.AddDefaultRoute(rightRouter6.Addr()),
	))
	return n
}

// newBridged returns a network with the bridge br0 in the middle. Its ports are called
// left and right. Both hosts have addresses of the left network.
func newBridged(t testing.TB) network {
	t.Helper()
	n := network{left: kerneltest.NS(t), middle: kerneltest.NS(t), right: kerneltest.NS(t)}
	must(t, netns.Veth(n.left, "eth0", []netip.Prefix{leftHost4}, n.middle, "left", nil))
	must(t, netns.Veth(n.right, "eth0", []netip.Prefix{leftRouter4}, n.middle, "right", nil))
	must(t, netns.Bridge(n.middle, "br0", "left", "right"))
	return n
}
