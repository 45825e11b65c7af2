// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nftrules_test

import (
	"fmt"
	"net/netip"
	"strings"
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

// pair returns two namespaces that are joined by eth0 on each side.
func pair(t *testing.T) (a, b *netns.NS) {
	t.Helper()
	a, b = kerneltest.NS(t), kerneltest.NS(t)
	aAddrs := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64")}
	bAddrs := []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24"), netip.MustParsePrefix("fd00::2/64")}
	if err := netns.Veth(a, "eth0", aAddrs, b, "eth0", bAddrs); err != nil {
		t.Fatalf("failed to make veth pair: %v", err)
	}
	return a, b
}

// send sends 2 ICMP, 3 ICMPv6, 4 UDP packets to port 9, 5 UDP over IPv6 to port
// 10, and 6 TCP SYN to port 23, from a to b.
func send(t *testing.T, a *netns.NS) {
	t.Helper()
	b4, b6 := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	for _, err := range []error{
		traffic.Echo(a, b4, 2, 10),
		traffic.Echo(a, b6, 3, 10),
		traffic.UDP(a, netip.AddrPortFrom(b4, 9), 4, 10),
		traffic.UDP(a, netip.AddrPortFrom(b6, 10), 5, 10),
		traffic.SYN(a, netip.AddrPortFrom(b4, 23), 6),
	} {
		if err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}
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

func TestIntegrationMatches(t *testing.T) {
	a, b := pair(t)
	rs := nftrules.New(b)
	in := rs.Chain(nftrules.Chain{Hook: nftrules.Input})
	counters := map[string]*nftrules.Rule{
		"all":             in.Log(group, "all"),
		"icmp":            in.Log(group, "", nftrules.ICMP()),
		"icmpv6":          in.Log(group, "", nftrules.ICMPv6()),
		"udp":             in.Log(group, "", nftrules.L4Proto(traffic.ProtocolUDP)),
		"udp port":        in.Log(group, "", nftrules.UDPPort(9)),
		"tcp port":        in.Log(group, "", nftrules.TCPPort(23)),
		"in interface":    in.Log(group, "", nftrules.InInterface("eth0")),
		"other interface": in.Log(group, "", nftrules.InInterface("eth")),
		"ethertype":       in.Log(group, "", nftrules.EtherType(traffic.EtherTypeIPv6)),
		"two matches":     in.Log(group, "", nftrules.EtherType(traffic.EtherTypeIPv6), nftrules.UDPPort(10)),
		"limit":           in.Log(group, "", nftrules.L4Proto(traffic.ProtocolUDP), nftrules.Limit(1, 3)),
		"no log":          in.Rule(nftrules.TCPPort(23)),
	}
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}

	send(t, a)
	const icmp, icmpv6, udp4, udp6, syn = 2 * 38, 3 * 58, 4 * 38, 5 * 58, 6 * 60
	all := nftrules.Count{Packets: 20, Bytes: icmp + icmpv6 + udp4 + udp6 + syn}
	awaitCounts(t, map[string]nftrules.Count{
		"all":             all,
		"icmp":            {Packets: 2, Bytes: icmp},
		"icmpv6":          {Packets: 3, Bytes: icmpv6},
		"udp":             {Packets: 9, Bytes: udp4 + udp6},
		"udp port":        {Packets: 4, Bytes: udp4},
		"tcp port":        {Packets: 6, Bytes: syn},
		"in interface":    all,
		"other interface": {},
		"ethertype":       {Packets: 8, Bytes: icmpv6 + udp6},
		"two matches":     {Packets: 5, Bytes: udp6},
		"limit":           {Packets: 3, Bytes: 3 * 38},
		"no log":          {Packets: 6, Bytes: syn},
	}, counters)
}

func TestIntegrationVerdicts(t *testing.T) {
	tests := []struct {
		name        string
		chain       nftrules.Chain
		parts       []nftrules.Part
		wantNext    uint64 // packets that the next chain sees
		wantReplies uint64 // packets that come back
	}{
		{name: "none", chain: nftrules.Chain{Hook: nftrules.Input}, wantNext: 4},
		{name: "accept", chain: nftrules.Chain{Hook: nftrules.Input, Drop: true}, parts: []nftrules.Part{nftrules.Accept()}, wantNext: 4},
		{name: "drop", chain: nftrules.Chain{Hook: nftrules.Input}, parts: []nftrules.Part{nftrules.Drop()}},
		{name: "policy", chain: nftrules.Chain{Hook: nftrules.Input, Drop: true}},
		{name: "reject inet", chain: nftrules.Chain{Hook: nftrules.Input}, parts: []nftrules.Part{nftrules.Reject()}, wantReplies: 4},
		{name: "reject ip", chain: nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Input}, parts: []nftrules.Part{nftrules.Reject()}, wantReplies: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pair(t)
			dst := netip.MustParseAddrPort("10.0.0.2:9")
			sink, err := traffic.Sink(b, dst)
			if err != nil {
				t.Fatalf("failed to listen: %v", err)
			}
			defer sink.Close()
			rs := nftrules.New(b)
			rule := rs.Chain(tt.chain).Log(group, "verdict", tt.parts...)
			next := rs.Chain(nftrules.Chain{Hook: nftrules.Input, Priority: 10}).Log(group, "next")
			replies := rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "replies")
			if err := rs.Apply(); err != nil {
				t.Fatalf("failed to apply rules: %v", err)
			}
			// Lift the rate limit of ICMP errors.
			if err := b.Sysctl("net/ipv4/icmp_ratemask", "0"); err != nil {
				t.Fatalf("failed to lift limit: %v", err)
			}
			if err := traffic.UDP(a, dst, 4, 10); err != nil {
				t.Fatalf("failed to send: %v", err)
			}
			awaitCounts(t,
				map[string]nftrules.Count{
					"rule":    {Packets: 4, Bytes: 4 * 38},
					"next":    {Packets: tt.wantNext, Bytes: tt.wantNext * 38},
					"replies": {Packets: tt.wantReplies, Bytes: tt.wantReplies * (28 + 38)},
				},
				map[string]*nftrules.Rule{"rule": rule, "next": next, "replies": replies},
			)
		})
	}
}

// TestIntegrationFamilies installs chains of every family and hook. Each counts the
// packets that pass it.
func TestIntegrationFamilies(t *testing.T) {
	a, b := pair(t)
	rs := nftrules.New(b)
	want, counters := make(map[string]nftrules.Count), make(map[string]*nftrules.Rule)
	for _, tt := range []struct {
		name  string
		chain nftrules.Chain
		want  nftrules.Count
	}{
		{"inet ingress", nftrules.Chain{Hook: nftrules.Ingress, Device: "eth0"}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		{"inet prerouting", nftrules.Chain{Hook: nftrules.Prerouting, Priority: -300}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		{"inet input", nftrules.Chain{Family: nftrules.INet, Hook: nftrules.Input}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		{"inet forward", nftrules.Chain{Hook: nftrules.Forward}, nftrules.Count{}},
		{"inet output", nftrules.Chain{Hook: nftrules.Output}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		{"inet postrouting", nftrules.Chain{Hook: nftrules.Postrouting}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		{"ip input", nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Input}, nftrules.Count{Packets: 1, Bytes: 38}},
		{"ip6 input", nftrules.Chain{Family: nftrules.IPv6, Hook: nftrules.Input}, nftrules.Count{Packets: 1, Bytes: 58}},
		{"arp input", nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}, nftrules.Count{}},
		{"arp output", nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}, nftrules.Count{}},
		{"bridge prerouting", nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Prerouting}, nftrules.Count{}},
		{"netdev ingress", nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "eth0"}, nftrules.Count{Packets: 2, Bytes: 38 + 58}},
		// At egress, the length includes the link header.
		{"netdev egress", nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "eth0"}, nftrules.Count{Packets: 2, Bytes: 38 + 58 + 2*14}},
	} {
		want[tt.name] = tt.want
		counters[tt.name] = rs.Chain(tt.chain).Log(group, tt.name)
	}
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	for _, dst := range []string{"10.0.0.2", "fd00::2"} {
		if err := traffic.Echo(a, netip.MustParseAddr(dst), 1, 10); err != nil {
			t.Fatalf("failed to ping: %v", err)
		}
	}
	awaitCounts(t, want, counters)
}

func TestIntegrationApplyErrors(t *testing.T) {
	tests := []struct {
		name string
		add  func(*nftrules.Ruleset)
		want string
	}{
		{
			name: "no such hook",
			add:  func(rs *nftrules.Ruleset) { rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Forward}) },
			want: "no hook",
		},
		{
			name: "prefix too long",
			add: func(rs *nftrules.Ruleset) {
				rs.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, strings.Repeat("x", 128))
			},
			want: "out of range",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := nftrules.New(kerneltest.NS(t))
			tt.add(rs)
			if err := rs.Apply(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("unexpected error: got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestIntegrationClear(t *testing.T) {
	rs := nftrules.New(kerneltest.NS(t))
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, "", nftrules.SetMark(1), nftrules.Snaplen(64), nftrules.QueueThreshold(1))
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	if packets, bytes, err := rule.Count(); packets != 0 || bytes != 0 || err != nil {
		t.Errorf("unexpected count: %d packets, %d bytes, %v", packets, bytes, err)
	}
	if err := rs.Clear(); err != nil {
		t.Fatalf("failed to clear: %v", err)
	}
	if _, _, err := rule.Count(); err == nil {
		t.Error("unexpected success: the rule was removed")
	}
}
