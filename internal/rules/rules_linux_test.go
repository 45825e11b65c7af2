// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/internal/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/internal/netns"
	"github.com/nflog-exporter/nflog_exporter/internal/rules"
	"github.com/nflog-exporter/nflog_exporter/internal/traffic"
)

// group is the NFLOG group of the rules here, which nobody reads.
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

// count is what a rule has counted.
type count struct {
	Packets, Bytes uint64
}

// awaitCounts waits until rules have counted what want says.
func awaitCounts(t *testing.T, want map[string]count, counters map[string]*rules.Rule) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		got := make(map[string]count)
		for name, rule := range counters {
			packets, bytes, err := rule.Count()
			if err != nil {
				return err
			}
			got[name] = count{Packets: packets, Bytes: bytes}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("unexpected counts (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestIntegrationMatches(t *testing.T) {
	a, b := pair(t)
	rs := rules.New(b)
	in := rs.Chain(rules.Chain{Hook: rules.Input})
	counters := map[string]*rules.Rule{
		"all":             in.Log(group, "all"),
		"icmp":            in.Log(group, "", rules.ICMP()),
		"icmpv6":          in.Log(group, "", rules.ICMPv6()),
		"udp":             in.Log(group, "", rules.L4Proto(traffic.ProtocolUDP)),
		"udp port":        in.Log(group, "", rules.UDPPort(9)),
		"tcp port":        in.Log(group, "", rules.TCPPort(23)),
		"in interface":    in.Log(group, "", rules.InInterface("eth0")),
		"other interface": in.Log(group, "", rules.InInterface("eth")),
		"ethertype":       in.Log(group, "", rules.EtherType(traffic.EtherTypeIPv6)),
		"two matches":     in.Log(group, "", rules.EtherType(traffic.EtherTypeIPv6), rules.UDPPort(10)),
		"limit":           in.Log(group, "", rules.L4Proto(traffic.ProtocolUDP), rules.Limit(1, 3)),
		"no log":          in.Rule(rules.TCPPort(23)),
	}
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}

	send(t, a)
	const icmp, icmpv6, udp4, udp6, syn = 2 * 38, 3 * 58, 4 * 38, 5 * 58, 6 * 60
	all := count{Packets: 20, Bytes: icmp + icmpv6 + udp4 + udp6 + syn}
	awaitCounts(t, map[string]count{
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
		chain       rules.Chain
		parts       []rules.Part
		wantNext    uint64 // packets that the next chain sees
		wantReplies uint64 // packets that come back
	}{
		{name: "none", chain: rules.Chain{Hook: rules.Input}, wantNext: 4},
		{name: "accept", chain: rules.Chain{Hook: rules.Input, Drop: true}, parts: []rules.Part{rules.Accept()}, wantNext: 4},
		{name: "drop", chain: rules.Chain{Hook: rules.Input}, parts: []rules.Part{rules.Drop()}},
		{name: "policy", chain: rules.Chain{Hook: rules.Input, Drop: true}},
		{name: "reject inet", chain: rules.Chain{Hook: rules.Input}, parts: []rules.Part{rules.Reject()}, wantReplies: 4},
		{name: "reject ip", chain: rules.Chain{Family: rules.IPv4, Hook: rules.Input}, parts: []rules.Part{rules.Reject()}, wantReplies: 4},
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
			rs := rules.New(b)
			rule := rs.Chain(tt.chain).Log(group, "verdict", tt.parts...)
			next := rs.Chain(rules.Chain{Hook: rules.Input, Priority: 10}).Log(group, "next")
			replies := rs.Chain(rules.Chain{Hook: rules.Output}).Log(group, "replies")
			if err := rs.Apply(); err != nil {
				t.Fatalf("failed to apply rules: %v", err)
			}
			// The kernel limits how many errors it sends to one address.
			if err := b.Sysctl("net/ipv4/icmp_ratemask", "0"); err != nil {
				t.Fatalf("failed to lift limit: %v", err)
			}
			if err := traffic.UDP(a, dst, 4, 10); err != nil {
				t.Fatalf("failed to send: %v", err)
			}
			awaitCounts(t,
				map[string]count{
					"rule":    {Packets: 4, Bytes: 4 * 38},
					"next":    {Packets: tt.wantNext, Bytes: tt.wantNext * 38},
					"replies": {Packets: tt.wantReplies, Bytes: tt.wantReplies * (28 + 38)},
				},
				map[string]*rules.Rule{"rule": rule, "next": next, "replies": replies},
			)
		})
	}
}

// TestIntegrationFamilies installs a chain of every family and hook. The same
// packet is counted at each place that it passes.
func TestIntegrationFamilies(t *testing.T) {
	a, b := pair(t)
	rs := rules.New(b)
	want, counters := make(map[string]count), make(map[string]*rules.Rule)
	for _, tt := range []struct {
		name  string
		chain rules.Chain
		want  count
	}{
		{"inet ingress", rules.Chain{Hook: rules.Ingress, Device: "eth0"}, count{Packets: 2, Bytes: 38 + 58}},
		{"inet prerouting", rules.Chain{Hook: rules.Prerouting, Priority: -300}, count{Packets: 2, Bytes: 38 + 58}},
		{"inet input", rules.Chain{Family: rules.INet, Hook: rules.Input}, count{Packets: 2, Bytes: 38 + 58}},
		{"inet forward", rules.Chain{Hook: rules.Forward}, count{}},
		{"inet output", rules.Chain{Hook: rules.Output}, count{Packets: 2, Bytes: 38 + 58}},
		{"inet postrouting", rules.Chain{Hook: rules.Postrouting}, count{Packets: 2, Bytes: 38 + 58}},
		{"ip input", rules.Chain{Family: rules.IPv4, Hook: rules.Input}, count{Packets: 1, Bytes: 38}},
		{"ip6 input", rules.Chain{Family: rules.IPv6, Hook: rules.Input}, count{Packets: 1, Bytes: 58}},
		{"arp input", rules.Chain{Family: rules.ARP, Hook: rules.Input}, count{}},
		{"arp output", rules.Chain{Family: rules.ARP, Hook: rules.Output}, count{}},
		{"bridge prerouting", rules.Chain{Family: rules.Bridge, Hook: rules.Prerouting}, count{}},
		{"netdev ingress", rules.Chain{Family: rules.Netdev, Hook: rules.Ingress, Device: "eth0"}, count{Packets: 2, Bytes: 38 + 58}},
		// Going out, the kernel counts from the link header on.
		{"netdev egress", rules.Chain{Family: rules.Netdev, Hook: rules.Egress, Device: "eth0"}, count{Packets: 2, Bytes: 38 + 58 + 2*14}},
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
		add  func(*rules.Ruleset)
		want string
	}{
		{
			name: "no such hook",
			add:  func(rs *rules.Ruleset) { rs.Chain(rules.Chain{Family: rules.ARP, Hook: rules.Forward}) },
			want: "no hook",
		},
		{
			name: "prefix too long",
			add: func(rs *rules.Ruleset) {
				rs.Chain(rules.Chain{Hook: rules.Input}).Log(group, strings.Repeat("x", 128))
			},
			want: "out of range",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := rules.New(kerneltest.NS(t))
			tt.add(rs)
			if err := rs.Apply(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("unexpected error: got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestIntegrationClear(t *testing.T) {
	rs := rules.New(kerneltest.NS(t))
	rule := rs.Chain(rules.Chain{Hook: rules.Input}).Log(group, "", rules.SetMark(1), rules.Snaplen(64), rules.QueueThreshold(1))
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
		t.Error("counted with a rule that is gone")
	}
}
