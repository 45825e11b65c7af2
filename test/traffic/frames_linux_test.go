// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

func TestIntegrationFrames(t *testing.T) {
	a, b := kerneltest.NS(t), kerneltest.NS(t)
	// Without IPv6 addresses, which would disable ARP.
	aAddrs, bAddrs := []netip.Prefix{netip.PrefixFrom(a4, 24)}, []netip.Prefix{netip.PrefixFrom(b4, 24)}
	if err := netns.Veth(a, "eth0", aAddrs, b, "eth0", bAddrs); err != nil {
		t.Fatalf("failed to make veth pair: %v", err)
	}
	ifi, err := a.Interface("eth0")
	if err != nil {
		t.Fatalf("failed to find interface: %v", err)
	}
	peer, err := b.Interface("eth0")
	if err != nil {
		t.Fatalf("failed to find interface: %v", err)
	}
	rs := nftrules.New(b)
	ingress := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "eth0"})
	counters := map[string]*nftrules.Rule{
		"all":         ingress.Log(group, ""),
		"lldp":        ingress.Log(group, "", nftrules.EtherType(traffic.EtherTypeLLDP)),
		"udp":         ingress.Log(group, "", nftrules.UDPPort(9)),
		"arp request": rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}).Log(group, ""),
		"arp reply":   rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}).Log(group, ""),
	}
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}

	src, dst := ifi.HardwareAddr, peer.HardwareAddr
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	lldp := net.HardwareAddr{0x01, 0x80, 0xc2, 0, 0, 0x0e}
	packet := ipv4(traffic.UDPDatagram(port(a4), port(b4), nil)).Bytes()
	tagged := traffic.VLAN(5<<13|42, traffic.EtherTypeIPv4, packet)
	if err := traffic.SendFrames(
		a, "eth0",
		traffic.Ethernet(broadcast, src, traffic.EtherTypeARP, traffic.ARPRequest(src, a4, b4)),
		traffic.Ethernet(lldp, src, traffic.EtherTypeLLDP, traffic.LLDP(src, "eth0")),
		traffic.Ethernet(dst, src, traffic.EtherTypeVLAN, tagged),
		traffic.Ethernet(dst, src, traffic.EtherTypeQinQ, traffic.VLAN(7, traffic.EtherTypeVLAN, tagged)),
	); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
	lldpLen := uint64(len(traffic.LLDP(src, "eth0")))
	awaitCounts(t, map[string]nftrules.Count{
		// The kernel has removed the outer tag, but not the inner one of 4 bytes.
		"all":         {Packets: 4, Bytes: 28 + lldpLen + 28 + 32},
		"lldp":        {Packets: 1, Bytes: lldpLen},
		"udp":         {Packets: 1, Bytes: 28},
		"arp request": {Packets: 1, Bytes: 28},
		// At ARP output, the length includes the link header.
		"arp reply": {Packets: 1, Bytes: 42},
	}, counters)
}
