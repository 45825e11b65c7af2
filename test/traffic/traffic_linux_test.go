// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// group is the NFLOG group of the rules. No socket is bound to it.
const group = 7

func TestMain(m *testing.M) { kerneltest.Main(m) }

// Addresses of the two namespaces.
var (
	a4, b4 = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	a6, b6 = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
)

// pair returns two namespaces that are joined by eth0 on each side.
func pair(t *testing.T) (a, b *netns.NS) {
	t.Helper()
	a, b = kerneltest.NS(t), kerneltest.NS(t)
	aAddrs := []netip.Prefix{netip.PrefixFrom(a4, 24), netip.PrefixFrom(a6, 64)}
	bAddrs := []netip.Prefix{netip.PrefixFrom(b4, 24), netip.PrefixFrom(b6, 64)}
	if err := netns.Veth(a, "eth0", aAddrs, b, "eth0", bAddrs); err != nil {
		t.Fatalf("failed to make veth pair: %v", err)
	}
	return a, b
}

// awaitCounts waits until the rules have these counts.
func awaitCounts(t *testing.T, want map[string]nftrules.Count, counters map[string]*nftrules.Rule) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		got, err := nftrules.Counts(counters)
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			err = fmt.Errorf("unexpected counts (-want +got):\n%s", diff)
		}
		return err
	})
}

// port returns an address with port 9.
func port(addr netip.Addr) netip.AddrPort { return netip.AddrPortFrom(addr, 9) }

// ipv4 returns an IPv4 packet of UDP from a to b.
func ipv4(payload []byte) traffic.IPv4 {
	return traffic.IPv4{Src: a4, Dst: b4, ID: 1, Protocol: traffic.ProtocolUDP, Payload: payload}
}

// ipv6 returns an IPv6 packet from a to b.
func ipv6(protocol uint8, payload []byte, extensions ...traffic.Extension) traffic.IPv6 {
	return traffic.IPv6{Src: a6, Dst: b6, Extensions: extensions, Protocol: protocol, Payload: payload}
}

// TestIntegrationPackets counts packets at the sender's output hook and at the
// receiver's input hook.
func TestIntegrationPackets(t *testing.T) {
	udp4 := traffic.UDPDatagram(port(a4), port(b4), make([]byte, 16))
	udp6 := traffic.UDPDatagram(port(a6), port(b6), make([]byte, 16))
	fragment := ipv4(udp4[:16])
	fragment.MoreFragments = true
	last := ipv4(udp4[16:])
	last.FragmentOffset = 16
	options := ipv4(udp4)
	options.Options = []byte{1, 1, 1, 1}
	tests := []struct {
		name   string
		send   func(a *netns.NS) error
		match  []nftrules.Part
		want   nftrules.Count
		wantIn nftrules.Count // zero means want
	}{
		{
			name:  "UDP over IPv4",
			send:  func(a *netns.NS) error { return traffic.UDP(a, port(b4), 5, 100) },
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 5, Bytes: 5 * 128},
		},
		{
			name:  "UDP over IPv6",
			send:  func(a *netns.NS) error { return traffic.UDP(a, port(b6), 5, 0) },
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 5, Bytes: 5 * 48},
		},
		{
			name:  "UDP aggregate over IPv4",
			send:  func(a *netns.NS) error { return traffic.UDPSegments(a, port(b4), 10, 1000) },
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 1, Bytes: 10028},
		},
		{
			name:  "UDP aggregate over IPv6",
			send:  func(a *netns.NS) error { return traffic.UDPSegments(a, port(b6), 10, 1000) },
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 1, Bytes: 10048},
		},
		{
			name: "UDP flood",
			send: func(a *netns.NS) error {
				sent, err := traffic.Flood(context.Background(), a, port(b4), 500, 10, 0)
				return errors.Join(err, expect(sent, 500))
			},
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 500, Bytes: 500 * 38},
		},
		{
			name: "UDP flood at a rate",
			send: func(a *netns.NS) error {
				start := time.Now()
				sent, err := traffic.Flood(context.Background(), a, port(b6), 101, 10, 1000)
				if took := time.Since(start); took < 100*time.Millisecond {
					err = errors.Join(err, fmt.Errorf("took %v", took))
				}
				return errors.Join(err, expect(sent, 101))
			},
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 101, Bytes: 101 * 58},
		},
		{
			name:  "SYN over IPv4",
			send:  func(a *netns.NS) error { return traffic.SYN(a, port(b4), 3) },
			match: []nftrules.Part{nftrules.TCPPort(9)},
			want:  nftrules.Count{Packets: 3, Bytes: 3 * 60},
		},
		{
			name:  "SYN over IPv6",
			send:  func(a *netns.NS) error { return traffic.SYN(a, port(b6), 3) },
			match: []nftrules.Part{nftrules.TCPPort(9)},
			want:  nftrules.Count{Packets: 3, Bytes: 3 * 80},
		},
		{
			name:  "ICMP",
			send:  func(a *netns.NS) error { return traffic.Echo(a, b4, 3, 56) },
			match: []nftrules.Part{nftrules.ICMP()},
			want:  nftrules.Count{Packets: 3, Bytes: 3 * 84},
		},
		{
			name:  "ICMPv6",
			send:  func(a *netns.NS) error { return traffic.Echo(a, b6, 3, 56) },
			match: []nftrules.Part{nftrules.ICMPv6()},
			want:  nftrules.Count{Packets: 3, Bytes: 3 * 104},
		},
		{
			name: "IPv4",
			send: func(a *netns.NS) error {
				return traffic.SendIP(a, ipv4(udp4).Bytes(), options.Bytes())
			},
			match: []nftrules.Part{nftrules.UDPPort(9)},
			want:  nftrules.Count{Packets: 2, Bytes: 44 + 48},
		},
		{
			name: "IPv4 fragments",
			send: func(a *netns.NS) error { return traffic.SendIP(a, fragment.Bytes(), last.Bytes()) },
			want: nftrules.Count{Packets: 2, Bytes: 36 + 28},
			// The receiver reassembles them before its input hook.
			wantIn: nftrules.Count{Packets: 1, Bytes: 44},
		},
		{
			name: "IPv6 extension headers",
			send: func(a *netns.NS) error {
				return traffic.SendIP(
					a,
					ipv6(traffic.ProtocolUDP, udp6).Bytes(),
					ipv6(traffic.ProtocolUDP, udp6, traffic.HopByHop(), traffic.DestinationOptions(), traffic.Routing()).Bytes(),
					ipv6(traffic.ProtocolUDP, udp6, traffic.Authentication()).Bytes(),
				)
			},
			want: nftrules.Count{Packets: 3, Bytes: 64 + 88 + 88},
		},
		{
			name: "IPv6 without next header",
			send: func(a *netns.NS) error {
				return traffic.SendIP(a, ipv6(traffic.ProtocolNoNext, nil, traffic.DestinationOptions()).Bytes())
			},
			want: nftrules.Count{Packets: 1, Bytes: 48},
		},
		{
			name: "IPv6 fragments",
			send: func(a *netns.NS) error {
				return traffic.SendIP(
					a,
					ipv6(traffic.ProtocolUDP, udp6[:16], traffic.Fragment(0, true, 1)).Bytes(),
					ipv6(traffic.ProtocolUDP, udp6[16:], traffic.Fragment(16, false, 1)).Bytes(),
				)
			},
			want: nftrules.Count{Packets: 2, Bytes: 64 + 56},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pair(t)
			out, in := nftrules.New(a), nftrules.New(b)
			counters := map[string]*nftrules.Rule{
				"output": out.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "", tt.match...),
				"input":  in.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, "", append(tt.match, nftrules.Drop())...),
			}
			if err := errors.Join(out.Apply(), in.Apply()); err != nil {
				t.Fatalf("failed to apply rules: %v", err)
			}
			if err := tt.send(a); err != nil {
				t.Fatalf("failed to send: %v", err)
			}
			if tt.wantIn == (nftrules.Count{}) {
				tt.wantIn = tt.want
			}
			awaitCounts(t, map[string]nftrules.Count{"output": tt.want, "input": tt.wantIn}, counters)
		})
	}
}

// expect returns an error unless got is want.
func expect(got, want int) error {
	if got != want {
		return fmt.Errorf("got %d, want %d", got, want)
	}
	return nil
}

// TestIntegrationOutputDrop checks that packets count as sent that a rule of the
// sender drops.
func TestIntegrationOutputDrop(t *testing.T) {
	a, _ := pair(t)
	rs := nftrules.New(a)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "", nftrules.Drop())
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	sent, err := traffic.Flood(context.Background(), a, port(b4), 100, 0, 0)
	if err := errors.Join(
		err, expect(sent, 100),
		traffic.UDP(a, port(b4), 1, 0),
		traffic.Echo(a, b6, 1, 0),
		traffic.SYN(a, port(b4), 1),
		traffic.SendIP(a, ipv6(traffic.ProtocolNoNext, nil).Bytes()),
	); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
	awaitCounts(t,
		map[string]nftrules.Count{"output": {Packets: 104, Bytes: 100*28 + 28 + 48 + 60 + 40}},
		map[string]*nftrules.Rule{"output": rule},
	)
}
