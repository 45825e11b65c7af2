// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationFamilies logs packets of all families to one group. The sequence numbers that nflog reads have no gap. What
// go-nflog lacks are exactly the packets of the families ARP and netdev, of which it reads no prefix.
func TestIntegrationFamilies(t *testing.T) {
	const rounds, rules = 10, 7
	n := newBridged(t)
	must(t, n.middle.AddAddresses("br0", rightHost4))
	d := newDifferential(t, n.middle, everyPacket())
	udp := nftrules.UDPPort(9)
	log := func(chain nftrules.Chain, prefix string, parts ...nftrules.Part) *nftrules.ChainRules {
		c := d.rules.Chain(chain)
		d.log(c, prefix, parts...)
		return c
	}
	log(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Output}, "ip", udp)
	log(nftrules.Chain{Family: nftrules.IPv6, Hook: nftrules.Input}, "ip6", udp)
	log(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Forward}, "bridge", udp)
	log(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}, "arp in")
	log(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}, "arp out")
	log(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "left"}, "netdev in", udp)
	egress := log(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "right"}, "netdev out", udp)
	egress.Rule(udp, nftrules.Drop()) // else the right host answers
	must(t, d.rules.Apply())

	source, destination := netip.AddrPortFrom(leftHost4.Addr(), 1024), netip.AddrPortFrom(leftRouter4.Addr(), 9)
	datagram := traffic.IPv4{
		Src: source.Addr(), Dst: destination.Addr(), Protocol: traffic.ProtocolUDP,
		Payload: traffic.UDPDatagram(source, destination, []byte("payload")),
	}.Bytes()
	request := traffic.ARPRequest(hardwareAddr(t, n.left, "eth0"), leftHost4.Addr(), rightHost4.Addr())
	var theirs, ours []nflog.Attribute
	for range rounds {
		must(t, traffic.UDP(n.middle, netip.MustParseAddrPort("127.0.0.1:9"), 1, 7))
		must(t, traffic.UDP(n.middle, netip.MustParseAddrPort("[::1]:9"), 1, 7))
		must(t, traffic.SendFrames(n.left, "eth0", frameTo(t, n, nftrules.Bridge, traffic.EtherTypeIPv4, datagram),
			frameTo(t, n, nftrules.ARP, traffic.EtherTypeARP, request)))
		their, our := d.take(t, rules)
		theirs, ours = append(theirs, their.packets...), append(ours, our.packets...)
	}

	want := make(map[uint32]string) // prefixes by sequence number, without the two families
	for i, a := range ours {
		checkPresent(t, a, "Seq", "Prefix")
		if *a.Seq != uint32(i) {
			t.Fatalf("unexpected number of packet %d: %d", i, *a.Seq)
		}
		if !strings.HasPrefix(*a.Prefix, "arp") && !strings.HasPrefix(*a.Prefix, "netdev") {
			want[*a.Seq] = *a.Prefix
		}
	}
	if len(ours) != rounds*rules || len(want) != rounds*3 {
		t.Errorf("unexpected packets: %d, %d of them of other families", len(ours), len(want))
	}
	got := make(map[uint32]string)
	for _, a := range theirs {
		if a.Prefix != nil && a.Seq != nil {
			got[*a.Seq] = *a.Prefix
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected packets of go-nflog (-want +got):\n%s", diff)
	}
}
