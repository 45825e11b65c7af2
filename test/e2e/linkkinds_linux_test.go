// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Addresses of the interfaces of the kind that is tested.
var (
	near4 = netip.MustParseAddr("10.0.9.1")
	far4  = netip.MustParseAddr("10.0.9.2")
)

// A kindNetwork is a router between two hosts:
//
//	far ---- eth0 near eth1 ---- right
//
// The interfaces of a kind are added to near and far, with the addresses near4 and far4. For tunnels, eth0 has the addresses
// routerL4 and left4.
type kindNetwork struct{ far, near, right *netns.NS }

// A linkKind is a kind of interface.
type linkKind struct {
	name      string
	add       func(kindNetwork) error
	near, far string // interfaces with the addresses near4 and far4

	// seen are the interfaces by which packets must pass: hook, direction and name.
	seen []string
}

// passes returns the places at which packets pass an interface that is neither a port nor has one.
func passes(name string) []string {
	return []string{
		"netdev ingress in " + name, "netdev egress out " + name,
		"ip prerouting in " + name, "ip input in " + name, "ip forward in " + name, "ip forward out " + name,
		"ip output out " + name, "ip postrouting out " + name, "ip postrouting in " + name,
	}
}

// linkKinds returns all kinds of interfaces that are tested.
func linkKinds() []linkKind {
	// both adds an interface of a kind to both hosts.
	both := func(name string, near, far netns.Kind) func(kindNetwork) error {
		return func(n kindNetwork) error {
			if err := n.near.Add(name, near, ends(near4)); err != nil {
				return err
			}
			return n.far.Add(name, far, ends(far4))
		}
	}
	// single adds an interface to near, with these ports. At far, eth0 has the address.
	single := func(name string, kind netns.Kind, ports ...string) func(kindNetwork) error {
		return func(n kindNetwork) error {
			if err := n.near.Add(name, kind, ends(near4), ports...); err != nil {
				return err
			}
			return n.far.AddAddresses("eth0", ends(far4)...)
		}
	}
	const qinq = 0x88a8
	return []linkKind{
		{
			name: "VLAN interfaces", near: "vlan5", far: "vlan5",
			add:  both("vlan5", netns.VLAN("eth0", traffic.EtherTypeVLAN, 5), netns.VLAN("eth0", traffic.EtherTypeVLAN, 5)),
			seen: append(passes("vlan5"), "netdev ingress in eth0", "netdev egress out eth0"),
		},
		{
			name: "QinQ interfaces", near: "inner", far: "inner",
			add: func(n kindNetwork) error {
				outer, inner := netns.VLAN("eth0", qinq, 7), netns.VLAN("outer", traffic.EtherTypeVLAN, 6)
				for _, ns := range []*netns.NS{n.near, n.far} {
					if err := ns.Add("outer", outer, nil); err != nil {
						return err
					}
				}
				return both("inner", inner, inner)(n)
			},
			seen: append(passes("inner"), "netdev ingress in outer", "netdev egress out outer"),
		},
		{
			name: "VRFs", near: "eth0", far: "eth0",
			add: func(n kindNetwork) error {
				// The addresses stay with the ports. Setting those down removes neighbours and
				// routes, but not addresses.
				if err := n.near.Add("vrf1", netns.VRF(10), nil, "eth0", "eth1"); err != nil {
					return err
				}
				right, err := n.right.Interface("eth0")
				if err != nil {
					return err
				}
				return errors.Join(
					n.near.AddNeighbor("eth1", right4, right.HardwareAddr),
					n.near.AddAddresses("eth0", ends(near4)...),
					n.far.AddAddresses("eth0", ends(far4)...),
				)
			},
			// Before routing, packets pass with the port and with the VRF.
			seen: []string{
				"netdev ingress in eth0", "netdev egress out eth0",
				"ip prerouting in eth0", "ip prerouting in vrf1", "ip input in vrf1", "ip forward in vrf1", "ip forward out eth0",
				"ip output out vrf1", "ip postrouting out vrf1", "ip postrouting out eth0", "ip postrouting in vrf1",
			},
		},
		{
			name: "bonds", near: "bond1", far: "eth0",
			add:  single("bond1", netns.Bond(), "eth0"),
			seen: append(passes("bond1"), "netdev ingress in eth0", "netdev egress out eth0"),
		},
		{
			name: "macvlan interfaces", near: "macvlan1", far: "eth0",
			add:  single("macvlan1", netns.Macvlan("eth0")),
			seen: passes("macvlan1"),
		},
		{
			name: "ipvlan interfaces", near: "ipvlan1", far: "eth0",
			add: single("ipvlan1", netns.Ipvlan("eth0")),
			// Packets that come to an address other than those of ipvlan1 stay with eth0.
			seen: []string{
				"netdev ingress in ipvlan1", "netdev egress out ipvlan1",
				"ip prerouting in ipvlan1", "ip input in ipvlan1", "ip forward in eth0", "ip forward out ipvlan1",
				"ip output out ipvlan1", "ip postrouting out ipvlan1", "ip postrouting in eth0",
			},
		},
		{
			name: "GRE tunnels", near: "gre1", far: "gre1",
			add:  both("gre1", netns.GRE(routerL4, left4), netns.GRE(left4, routerL4)),
			seen: append(passes("gre1"), "ip input in eth0", "ip output out eth0"),
		},
		{
			name: "IPIP tunnels", near: "ipip1", far: "ipip1",
			add:  both("ipip1", netns.IPIP(routerL4, left4), netns.IPIP(left4, routerL4)),
			seen: append(passes("ipip1"), "ip input in eth0", "ip output out eth0"),
		},
		{
			name: "VXLANs", near: "vxlan1", far: "vxlan1",
			add:  both("vxlan1", netns.VXLAN(5, routerL4, left4), netns.VXLAN(5, left4, routerL4)),
			seen: append(passes("vxlan1"), "ip input in eth0", "ip output out eth0"),
		},
		{
			name: "WireGuard interfaces", near: "wg1", far: "wg1",
			add: func(n kindNetwork) error {
				if err := both("wg1", netns.WireGuard(), netns.WireGuard())(n); err != nil {
					return err
				}
				near, far := netns.End{NS: n.near, Name: "wg1", Listen: netip.AddrPortFrom(routerL4, 51820)},
					netns.End{NS: n.far, Name: "wg1", Listen: netip.AddrPortFrom(left4, 51820)}
				for _, end := range []*netns.End{&near, &far} {
					var err error
					if end.Key, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
						return err
					}
				}
				return netns.JoinWireGuard(near, far)
			},
			seen: append(passes("wg1"), "ip input in eth0", "ip output out eth0"),
		},
	}
}

// TestIntegrationLinkKinds sends packets by interfaces of many kinds, and compares the exporter's packets by interface with
// counters of rules that match the interface's name, at each hook of the families inet and netdev.
func TestIntegrationLinkKinds(t *testing.T) {
	for _, kind := range linkKinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			n := newKindNetwork(t, kind)
			c := newInterfaceCounters(t, n.near)
			e := start(t, n.near, "--collector.labels=family,hook,in_interface,out_interface", "--nflog.queue-timeout=10ms")
			// The first packet by WireGuard waits for a handshake.
			must(t,
				traffic.Echo(n.far, near4, 3, 10),
				traffic.UDP(n.far, toPort(right4), 4, 10),
				traffic.UDP(n.right, toPort(far4), 5, 10),
			)

			kerneltest.Eventually(t, bookTimeout, func() error {
				s, err := e.scrape(t.Context())
				if err != nil {
					return err
				}
				want, err := c.read()
				if err != nil {
					return err
				}
				for _, place := range kind.seen {
					if want[place] == 0 {
						return fmt.Errorf("the rules counted no packet: %s; they counted %v", place, want)
					}
				}
				if diff := cmp.Diff(want, byPlace(s)); diff != "" {
					return fmt.Errorf("unexpected packets by interface (-rules +exporter):\n%s", diff)
				}
				return s.expect(0, "nflog_lost_packets_total")
			})
		})
	}
}

// newKindNetwork makes the hosts, and adds interfaces of the kind.
func newKindNetwork(t *testing.T, kind linkKind) kindNetwork {
	t.Helper()
	n := kindNetwork{far: kerneltest.NS(t), near: kerneltest.NS(t), right: kerneltest.NS(t)}
	must(t,
		n.near.Forward(),
		netns.Veth(n.far, "eth0", ends(left4), n.near, "eth0", ends(routerL4)),
		netns.Veth(n.right, "eth0", ends(right4), n.near, "eth1", ends(routerR4)),
		n.right.AddDefaultRoute(routerR4),
	)
	err := kind.add(n)
	if errors.Is(err, unix.EOPNOTSUPP) {
		kerneltest.SkipKernel(t, kind.name)
	}
	must(t, err)
	// The kernel knows all neighbours, so that it sends no ARP requests. Tunnels have none.
	if near, far := mac(t, n.near, kind.near), mac(t, n.far, kind.far); len(near) == 6 && len(far) == 6 {
		must(t, n.near.AddNeighbor(kind.near, far4, far), n.far.AddNeighbor(kind.far, near4, near))
	}
	must(t, n.far.AddDefaultRoute(near4))
	sink(t, n.far)
	sink(t, n.right)
	return n
}

// A placeCounter counts packets at a hook: all, or those that come in or go out by an interface.
type placeCounter struct {
	place string
	rule  *nftrules.Rule
}

// interfaceCounters are counters of the packets of a namespace.
type interfaceCounters []placeCounter

// newInterfaceCounters logs all packets except those of the loopback interface, at each hook, and counts them by interface.
func newInterfaceCounters(t *testing.T, ns *netns.NS) (c interfaceCounters) {
	t.Helper()
	add := func(place string, rule *nftrules.Rule) { c = append(c, placeCounter{place, rule}) }
	rs := nftrules.New(ns)
	names := interfaceNames(t, ns)
	for _, hook := range []struct {
		name string
		hook nftrules.Hook
	}{
		{"ip prerouting", nftrules.Prerouting},
		{"ip input", nftrules.Input},
		{"ip forward", nftrules.Forward},
		{"ip output", nftrules.Output},
		{"ip postrouting", nftrules.Postrouting},
	} {
		chain := rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: hook.hook})
		chain.Rule(nftrules.InInterface("lo"), nftrules.Accept())
		chain.Rule(nftrules.OutInterface("lo"), nftrules.Accept())
		for _, name := range names {
			add(hook.name+" in "+name, chain.Rule(nftrules.InInterface(name)))
			add(hook.name+" out "+name, chain.Rule(nftrules.OutInterface(name)))
		}
		add(hook.name, chain.Log(group, ""))
		must(t, rs.Apply())
	}
	for _, name := range names {
		ingress := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: name})
		add("netdev ingress in "+name, ingress.Rule(nftrules.InInterface(name)))
		add("netdev ingress", ingress.Log(group, ""))
		egress := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: name})
		add("netdev egress out "+name, egress.Rule(nftrules.OutInterface(name)))
		add("netdev egress", egress.Log(group, ""))
	}
	must(t, rs.Apply())
	return c
}

// interfaceNames returns the names of the interfaces that are up, except loopback.
func interfaceNames(t *testing.T, ns *netns.NS) (names []string) {
	t.Helper()
	must(t, ns.Do(func() error {
		all, err := net.Interfaces()
		for _, ifi := range all {
			if ifi.Flags&(net.FlagUp|net.FlagLoopback) == net.FlagUp {
				names = append(names, ifi.Name)
			}
		}
		return err
	}))
	return names
}

// read returns the packets by place, without places that no packet passed.
func (c interfaceCounters) read() (map[string]uint64, error) {
	rules := make(map[*nftrules.Rule]*nftrules.Rule)
	for _, counter := range c {
		rules[counter.rule] = counter.rule
	}
	counts, err := nftrules.Counts(rules)
	if err != nil {
		return nil, err
	}
	packets := make(map[string]uint64)
	for _, counter := range c {
		if n := counts[counter.rule].Packets; n > 0 {
			packets[counter.place] += n
		}
	}
	return packets, nil
}

// byPlace returns the exporter's packets by place.
func byPlace(s scrape) map[string]uint64 {
	packets := make(map[string]uint64)
	for _, m := range s["nflog_packets_total"].GetMetric() {
		l := labelMap(m)
		n, hook := uint64(m.GetCounter().GetValue()), l["family"]+" "+l["hook"]
		packets[hook] += n
		if name := l["in_interface"]; name != "" {
			packets[hook+" in "+name] += n
		}
		if name := l["out_interface"]; name != "" {
			packets[hook+" out "+name] += n
		}
	}
	return packets
}
