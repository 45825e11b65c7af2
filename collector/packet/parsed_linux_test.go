// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationParse checks that the network header of a packet is found at every kind of hook.
func TestIntegrationParse(t *testing.T) {
	t.Parallel()
	a, b := kerneltest.NS(t), kerneltest.NS(t)
	addr := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	if err := netns.Veth(a, "a", addr("10.0.0.1/24"), b, "b", addr("10.0.0.2/24")); err != nil {
		t.Fatal(err)
	}
	rs := nftrules.New(a)
	rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "a"}).Log(100, "egress")
	rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "a"}).Log(100, "ingress")
	rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}).Log(100, "arp output")
	rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}).Log(100, "arp input")
	rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(100, "output")
	if err := rs.Apply(); err != nil {
		t.Fatal(err)
	}
	reader, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: a.FD(), QueueTimeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()

	mac, source := net.HardwareAddr{2, 0, 0, 0, 0, 9}, net.HardwareAddr{2, 0, 0, 0, 0, 8}
	frame := func(etherType uint16, payload []byte) []byte {
		return traffic.Ethernet(mac, source, etherType, payload)
	}
	udp := traffic.IPv4{
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
		Protocol: traffic.ProtocolUDP, Payload: make([]byte, 8),
	}.Bytes()
	question := traffic.Ethernet(net.HardwareAddr{255, 255, 255, 255, 255, 255}, source, traffic.EtherTypeARP,
		traffic.ARPRequest(source, netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")))
	frames := [][]byte{
		frame(traffic.EtherTypeIPv4, udp),
		frame(traffic.EtherTypeIPv6, nflogtest.Unhex(nflogtest.IPv6UDP)),
		frame(traffic.EtherTypeARP, nflogtest.Unhex(nflogtest.ARPRequest)),
		frame(traffic.EtherTypeLLDP, traffic.LLDP(source, "a")),
		frame(traffic.EtherTypeVLAN, traffic.VLAN(5, traffic.EtherTypeIPv4, udp)),
		frame(traffic.EtherTypeVLAN, traffic.VLAN(5, traffic.EtherTypeIPv6, nflogtest.Unhex(nflogtest.IPv6UDP))),
		frame(traffic.EtherTypeQinQ, traffic.VLAN(5, traffic.EtherTypeVLAN, traffic.VLAN(6, traffic.EtherTypeIPv4, udp))),
	}
	framed := []fields{
		known(17, 28), known(17, 48), known(protocolARP, 28), known(protocolEtherType|0x88cc, 0),
		known(17, 28), known(17, 48), known(17, 28),
	}
	for _, err := range []error{
		traffic.SendFrames(a, "a", frames...),
		traffic.SendFrames(b, "b", frames...),
		traffic.SendIP(a, udp),
		traffic.SendFrames(b, "b", question), // a answers
	} {
		if err != nil {
			t.Fatal(err)
		}
	}

	want := map[string][]fields{
		"egress":     append(slices.Clip(framed), known(17, 28), known(protocolARP, 28)),
		"ingress":    append(slices.Clip(framed), known(protocolARP, 28)),
		"output":     {known(17, 28)},
		"arp input":  {known(protocolARP, 28)},
		"arp output": {known(protocolARP, 28)},
	}
	left := 0
	for _, packets := range want {
		left += len(packets)
	}
	got := make(map[string][]fields)
	if err := reader.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for left > 0 {
		batch, err := reader.Receive()
		if err != nil {
			t.Errorf("%d packets are missing: %v", left, err)
			break
		}
		for p := range batch.Packets() {
			prefix := p.Origin().Prefix
			got[prefix] = append(got[prefix], packetFields(p))
			left--
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fields{})); diff != "" {
		t.Errorf("unexpected fields (-want +got):\n%s", diff)
	}
}
