// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// bridgeCases are frames from the left host. None of them is answered.
func bridgeCases(left net.HardwareAddr) []bridgeCase {
	const priority = 5 << 13
	ipv4 := ipPacket(leftHost4.Addr(), rightHost4.Addr(), []byte("four"))
	ipv6 := ipPacket(leftHost6.Addr(), rightHost6.Addr(), []byte("six"))
	arp := traffic.ARPRequest(left, leftHost4.Addr(), leftHost4.Addr())
	return []bridgeCase{
		{"IPv4", traffic.EtherTypeIPv4, ipv4, nil, traffic.EtherTypeIPv4},
		{"IPv6", traffic.EtherTypeIPv6, ipv6, nil, traffic.EtherTypeIPv6},
		{"ARP", traffic.EtherTypeARP, arp, nil, traffic.EtherTypeARP},
		{"other", traffic.EtherTypeLLDP, traffic.LLDP(left, "left"), nil, traffic.EtherTypeLLDP},
		{
			"VLAN with IPv4", traffic.EtherTypeVLAN, traffic.VLAN(priority|42, traffic.EtherTypeIPv4, ipv4),
			&nflog.VLAN{Proto: traffic.EtherTypeVLAN, TCI: priority | 42}, traffic.EtherTypeIPv4,
		},
		{
			"VLAN with IPv6", traffic.EtherTypeVLAN, traffic.VLAN(4094, traffic.EtherTypeIPv6, ipv6),
			&nflog.VLAN{Proto: traffic.EtherTypeVLAN, TCI: 4094}, traffic.EtherTypeIPv6,
		},
		{
			"VLAN with ARP", traffic.EtherTypeVLAN, traffic.VLAN(1, traffic.EtherTypeARP, arp),
			&nflog.VLAN{Proto: traffic.EtherTypeVLAN, TCI: 1}, traffic.EtherTypeARP,
		},
		{
			"priority alone", traffic.EtherTypeVLAN, traffic.VLAN(priority, traffic.EtherTypeIPv4, ipv4),
			&nflog.VLAN{Proto: traffic.EtherTypeVLAN, TCI: priority}, traffic.EtherTypeIPv4,
		},
		{
			"VLAN in VLAN", traffic.EtherTypeQinQ,
			traffic.VLAN(7, traffic.EtherTypeVLAN, traffic.VLAN(8, traffic.EtherTypeIPv4, ipv4)),
			&nflog.VLAN{Proto: traffic.EtherTypeQinQ, TCI: 7}, traffic.EtherTypeVLAN,
		},
	}
}

// A bridgeCase is a frame and the attributes that it must have.
type bridgeCase struct {
	name      string
	etherType uint16
	payload   []byte
	want      *nflog.VLAN
	protocol  uint16 // EtherType of the packet without that tag
}

// bridgeHooks are the hooks that a frame passes from port to port, with the
// attributes that packets have there beside the common ones.
var bridgeHooks = []struct {
	name   string
	hook   nftrules.Hook
	values []string
}{
	{"prerouting", nftrules.Prerouting, []string{"InDev", "PhysInDev", "HwAddr", "HwHeader", "HwType", "HwLen", "Timestamp"}},
	{"forward", nftrules.Forward, []string{"InDev", "PhysInDev", "OutDev", "PhysOutDev", "HwAddr", "HwHeader", "HwType", "HwLen", "Timestamp"}},
	{"postrouting", nftrules.Postrouting, []string{"OutDev", "PhysOutDev"}},
}

// TestIntegrationBridge logs frames with and without VLAN tags at the hooks of a
// bridge.
func TestIntegrationBridge(t *testing.T) {
	n := newBridged(t)
	stampPackets(t)
	d := newDifferential(t, n.middle, everyPacket())
	for _, h := range bridgeHooks {
		d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: h.hook}), h.name)
	}
	must(t, d.rules.Apply())
	left, right := hardwareAddr(t, n.left, "eth0"), hardwareAddr(t, n.right, "eth0")
	for _, tt := range bridgeCases(left) {
		ok := t.Run(tt.name, func(t *testing.T) {
			must(t, traffic.SendFrames(n.left, "eth0", traffic.Ethernet(right, left, tt.etherType, tt.payload)))
			for i, a := range d.takeEqual(t, len(bridgeHooks)) {
				checkPresent(t, a, "Hook", "HwProtocol", "Prefix", "Payload", "Layer2Hdr", "Seq")
				checkPresent(t, a, bridgeHooks[i].values...)
				if *a.Prefix != bridgeHooks[i].name {
					t.Errorf("unexpected prefix %d: %s", i, *a.Prefix)
				}
				if diff := cmp.Diff(new(tt.protocol), a.HwProtocol); diff != "" {
					t.Errorf("unexpected protocol (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.want, a.VLAN); diff != "" {
					t.Errorf("unexpected VLAN tag (-want +got):\n%s", diff)
				}
			}
		})
		if !ok {
			break // late packets would disturb the other cases
		}
	}
}

// TestIntegrationBridgeLocal logs packets to and from the address of a bridge.
func TestIntegrationBridgeLocal(t *testing.T) {
	n := newBridged(t)
	must(t, n.middle.AddAddresses("br0", rightHost4))
	must(t, n.left.AddAddresses("eth0", rightRouter4))
	bridge, left := hardwareAddr(t, n.middle, "br0"), hardwareAddr(t, n.left, "eth0")
	must(t, n.left.AddNeighbor("eth0", rightHost4.Addr(), bridge))
	must(t, n.middle.AddNeighbor("br0", rightRouter4.Addr(), left))
	stampPackets(t)
	d := newDifferential(t, n.middle, everyPacket())
	d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Input}), "input")
	d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Output}), "output")
	must(t, d.rules.Apply())

	// The reply passes the output hook.
	must(t, traffic.Echo(n.left, rightHost4.Addr(), 1, 56))
	packets := d.takeEqual(t, 2)
	checkPresent(t, packets[0], "InDev", "PhysInDev", "HwAddr", "HwHeader", "Layer2Hdr", "Payload", "Timestamp")
	checkPresent(t, packets[1], "OutDev", "PhysOutDev", "Layer2Hdr", "Payload")
	checkAbsent(t, packets[1], "InDev", "PhysInDev", "Timestamp")
}

// TestIntegrationBridgeNetfilter logs bridged IP packets at the IP hooks (module
// br_netfilter).
func TestIntegrationBridgeNetfilter(t *testing.T) {
	n := newBridged(t)
	must(t, n.middle.Sysctl("net/bridge/bridge-nf-call-iptables", "1"))
	stampPackets(t)
	d := newDifferential(t, n.middle, everyPacket())
	d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Prerouting}), "prerouting")
	d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Forward}), "forward")
	d.log(d.rules.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Postrouting}), "postrouting")
	must(t, d.rules.Apply())

	frame := traffic.Ethernet(
		hardwareAddr(t, n.right, "eth0"), hardwareAddr(t, n.left, "eth0"), traffic.EtherTypeIPv4,
		ipPacket(leftHost4.Addr(), rightHost4.Addr(), []byte("four")),
	)
	must(t, traffic.SendFrames(n.left, "eth0", frame))
	packets := d.takeEqual(t, 3)
	checkPresent(t, packets[0], "InDev", "PhysInDev", "HwAddr", "Timestamp")
	checkPresent(t, packets[1], "InDev", "PhysInDev", "OutDev", "PhysOutDev")
	checkPresent(t, packets[2], "OutDev", "PhysOutDev")
}

// hardwareAddr returns the hardware address of a link.
func hardwareAddr(t testing.TB, ns *netns.NS, name string) net.HardwareAddr {
	t.Helper()
	ifi, err := ns.Interface(name)
	must(t, err)
	return ifi.HardwareAddr
}
