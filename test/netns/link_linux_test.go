// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// group is the NFLOG group of the rules. No socket is bound to it.
const group = 7

// prefixes parses addresses with their prefix lengths.
func prefixes(addrs ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, addr := range addrs {
		ps = append(ps, netip.MustParsePrefix(addr))
	}
	return ps
}

// veth connects a and b, and fails the test on an error.
func veth(t *testing.T, a *netns.NS, aName string, aAddrs []netip.Prefix, b *netns.NS, bName string, bAddrs []netip.Prefix) {
	t.Helper()
	if err := netns.Veth(a, aName, aAddrs, b, bName, bAddrs); err != nil {
		t.Fatalf("failed to make veth pair: %v", err)
	}
}

// apply installs rules, and fails the test on an error.
func apply(t *testing.T, rs *nftrules.Ruleset) {
	t.Helper()
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
}

// awaitCount waits until rule has counted want packets, and fails the test if it
// has counted more.
func awaitCount(t *testing.T, name string, rule *nftrules.Rule, want uint64) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		got, _, err := rule.Count()
		if err != nil {
			return err
		}
		if got > want {
			t.Fatalf("%s: got %d packets, want %d", name, got, want)
		}
		if got < want {
			return fmt.Errorf("%s: got %d packets, want %d", name, got, want)
		}
		return nil
	})
}

// TestIntegrationVeth checks that a pair carries all packets from the first on, and
// no others: rules at ingress and output count each packet.
func TestIntegrationVeth(t *testing.T) {
	tests := []struct {
		name         string
		aAddr, bAddr string
	}{
		{name: "ipv4", aAddr: "10.0.0.1/24", bAddr: "10.0.0.2/24"},
		{name: "ipv6", aAddr: "fd00::1/64", bAddr: "fd00::2/64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := kerneltest.NS(t), kerneltest.NS(t)
			edge := nftrules.New(b)
			veth(t, a, "va", prefixes(tt.aAddr), b, "vb", prefixes(tt.bAddr))
			in := edge.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "vb"}).Log(group, "")
			out := edge.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "")
			apply(t, edge)

			dst := netip.MustParsePrefix(tt.bAddr).Addr()
			if err := traffic.Echo(a, dst, 5, 10); err != nil {
				t.Fatalf("failed to ping: %v", err)
			}
			awaitCount(t, "requests", in, 5)
			awaitCount(t, "replies", out, 5)
		})
	}
}

// TestIntegrationQuiet checks that new links send nothing, with and without
// forwarding. The rules are of family inet, which can exist before the links.
func TestIntegrationQuiet(t *testing.T) {
	router, host := kerneltest.NS(t), kerneltest.NS(t)
	if err := router.Forward(); err != nil {
		t.Fatalf("failed to forward: %v", err)
	}
	var counters []*nftrules.Rule
	for _, ns := range []*netns.NS{router, host} {
		rs := nftrules.New(ns)
		for _, hook := range []nftrules.Hook{nftrules.Prerouting, nftrules.Output} {
			counters = append(counters, rs.Chain(nftrules.Chain{Hook: hook}).Log(group, ""))
		}
		apply(t, rs)
	}
	veth(t, router, "lan", prefixes("10.0.0.1/24", "fd00::1/64"), host, "eth0", prefixes("10.0.0.2/24", "fd00::2/64"))
	if err := host.Rename("eth0", "eth1"); err != nil {
		t.Fatalf("failed to rename: %v", err)
	}
	// The kernel would send MLD reports within two of its clock ticks.
	time.Sleep(100 * time.Millisecond)
	for i, rule := range counters {
		if packets, _, err := rule.Count(); err != nil || packets != 0 {
			t.Errorf("counter %d: got %d packets, want none: %v", i, packets, err)
		}
	}
}

func TestIntegrationForward(t *testing.T) {
	client, router, server := kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t)
	if err := router.Forward(); err != nil {
		t.Fatalf("failed to forward: %v", err)
	}
	veth(t, client, "eth0", prefixes("10.0.1.2/24", "fd00:1::2/64"), router, "lan", prefixes("10.0.1.1/24", "fd00:1::1/64"))
	veth(t, server, "eth0", prefixes("10.0.2.2/24", "fd00:2::2/64"), router, "wan", prefixes("10.0.2.1/24", "fd00:2::1/64"))
	for via, host := range map[string]*netns.NS{"10.0.1.1": client, "fd00:1::1": client, "10.0.2.1": server, "fd00:2::1": server} {
		if err := host.AddDefaultRoute(netip.MustParseAddr(via)); err != nil {
			t.Fatalf("failed to add a route: %v", err)
		}
	}
	rs := nftrules.New(router)
	forward := rs.Chain(nftrules.Chain{Hook: nftrules.Forward})
	there := forward.Log(group, "", nftrules.InInterface("lan"), nftrules.OutInterface("wan"))
	back := forward.Log(group, "", nftrules.InInterface("wan"), nftrules.OutInterface("lan"))
	apply(t, rs)

	for _, dst := range []string{"10.0.2.2", "fd00:2::2"} {
		if err := traffic.Echo(client, netip.MustParseAddr(dst), 3, 10); err != nil {
			t.Fatalf("failed to ping: %v", err)
		}
	}
	awaitCount(t, "requests", there, 6)
	awaitCount(t, "replies", back, 6)
}

func TestIntegrationBridge(t *testing.T) {
	a, bridge, b := kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t)
	veth(t, a, "eth0", prefixes("10.0.0.1/24", "fd00::1/64"), bridge, "port1", nil)
	veth(t, b, "eth0", prefixes("10.0.0.2/24", "fd00::2/64"), bridge, "port2", nil)
	if err := netns.Bridge(bridge, "br0", "port1", "port2"); err != nil {
		t.Fatalf("failed to make bridge: %v", err)
	}
	introduce(t, a, b, "10.0.0.2", "fd00::2")
	introduce(t, b, a, "10.0.0.1", "fd00::1")
	rs := nftrules.New(bridge)
	rule := rs.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Forward}).Log(group, "")
	apply(t, rs)

	for _, dst := range []string{"10.0.0.2", "fd00::2"} {
		if err := traffic.Echo(a, netip.MustParseAddr(dst), 3, 10); err != nil {
			t.Fatalf("failed to ping: %v", err)
		}
	}
	awaitCount(t, "requests and replies", rule, 12)
}

// introduce adds the addresses of eth0 of peer as neighbours to eth0 of ns.
func introduce(t *testing.T, ns, peer *netns.NS, addrs ...string) {
	t.Helper()
	ifi, err := peer.Interface("eth0")
	if err != nil {
		t.Fatalf("failed to find interface: %v", err)
	}
	for _, addr := range addrs {
		if err := ns.AddNeighbor("eth0", netip.MustParseAddr(addr), ifi.HardwareAddr); err != nil {
			t.Fatalf("failed to add neighbour: %v", err)
		}
	}
}

func TestIntegrationRenameDelete(t *testing.T) {
	ns := kerneltest.NS(t)
	veth(t, ns, "one", nil, ns, "two", nil)
	before, err := ns.Interface("one")
	if err != nil {
		t.Fatalf("failed to find interface: %v", err)
	}
	if err := ns.Rename("one", "three"); err != nil {
		t.Fatalf("failed to rename: %v", err)
	}
	after, err := ns.Interface("three")
	if err != nil {
		t.Fatalf("failed to find interface: %v", err)
	}
	if after.Index != before.Index || after.Flags&net.FlagUp == 0 {
		t.Errorf("unexpected interface after Rename: %+v, was %+v", after, before)
	}
	if err := ns.SetDown("three"); err != nil {
		t.Fatalf("failed to set down: %v", err)
	}
	if down, err := ns.Interface("three"); err != nil || down.Flags&net.FlagUp != 0 {
		t.Errorf("unexpected interface after SetDown: %+v, %v", down, err)
	}
	if err := ns.Delete("two"); err != nil {
		t.Fatalf("failed to delete: %v", err)
	}
	for _, name := range []string{"one", "two", "three"} {
		if _, err := ns.Interface(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if err := errors.Join(ns.Rename("one", "x"), ns.Delete("one")); err == nil {
		t.Error("changed an interface that does not exist")
	}
}
