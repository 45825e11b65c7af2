// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationExtract checks optional labels of packets that the kernel logs.
func TestIntegrationExtract(t *testing.T) {
	t.Parallel()
	a, b := kerneltest.NS(t), kerneltest.NS(t)
	addr := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	if err := netns.Veth(a, "a", addr("10.0.0.1/24"), b, "b", addr("10.0.0.2/24")); err != nil {
		t.Fatal(err)
	}
	rs := nftrules.New(a)
	rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "a"}).Log(100, "egress")
	rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "a"}).Log(100, "ingress")
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(100, "output", nftrules.UDPPort(443), nftrules.SetMark(0x1f))
	output.Log(100, "output", nftrules.ICMP())
	apply(t, rs)
	reader, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: a.FD(), QueueTimeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	from, to := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	sink, err := traffic.Sink(a, netip.AddrPortFrom(from, 443))
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()

	segment := traffic.IPv4{
		Src: from, Dst: to, Protocol: traffic.ProtocolTCP,
		Payload: traffic.TCPSegment(netip.AddrPortFrom(from, 1024), netip.AddrPortFrom(to, 8080), 0x29, nil),
	}.Bytes()
	mac, source := net.HardwareAddr{2, 0, 0, 0, 0, 9}, net.HardwareAddr{2, 0, 0, 0, 0, 8}
	frames := [][]byte{
		traffic.Ethernet(mac, source, traffic.EtherTypeIPv4, segment),
		traffic.Ethernet(mac, source, traffic.EtherTypeVLAN, traffic.VLAN(0xa005, traffic.EtherTypeIPv4, segment)),
		traffic.Ethernet(mac, source, traffic.EtherTypeQinQ, traffic.VLAN(7, traffic.EtherTypeVLAN, traffic.VLAN(6, traffic.EtherTypeIPv4, segment))),
	}
	for _, err := range []error{
		traffic.SendFrames(a, "a", frames...),
		traffic.SendFrames(b, "b", frames...),
		traffic.UDP(a, netip.AddrPortFrom(from, 443), 1, 8),
		traffic.Echo(a, from, 1, 8),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}

	labels := map[string][]label{
		"egress":  {labelVLAN, labelTCPFlags, labelDestinationPort},
		"ingress": {labelVLAN, labelTCPFlags, labelDestinationPort},
		"output":  {labelMark, labelUID, labelGID, labelICMPType, labelDestinationPort},
	}
	owner := fmt.Sprintf("%d,%d", os.Getuid(), os.Getgid())
	want := map[string][]string{
		"egress":  {",xmas,8080", "5,xmas,8080", "7,xmas,8080"},
		"ingress": {",xmas,8080", "5,xmas,8080", "7,xmas,8080"},
		"output":  {"0x1f," + owner + ",,443", "0x0," + owner + ",echo-request,", "0x0,,,echo-reply,"},
	}
	left := 0
	for _, packets := range want {
		left += len(packets)
	}
	x := newTestExtractor(t, 0xffffffff, LabelNames()...)
	got := make(map[string][]string)
	if err := reader.SetDeadline(time.Now().Add(patience)); err != nil {
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
			o := x.extract(p, parsed(p))
			var values []string
			for _, l := range labels[prefix] {
				values = append(values, o.value(l))
			}
			got[prefix] = append(got[prefix], strings.Join(values, ","))
			left--
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected labels (-want +got):\n%s", diff)
	}
}
