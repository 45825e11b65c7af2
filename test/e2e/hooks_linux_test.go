// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationHooks logs packets of many kinds at every hook of every family
// at the same time, and checks that each label set has exactly the counts of its
// rule.
func TestIntegrationHooks(t *testing.T) {
	n := newNetwork(t)
	rs := nftrules.New(n.router)
	var b book
	b.logRouted(t, rs)
	b.logLoopback(rs)
	b.logDevice(rs)
	must(t, rs.Apply())
	b.logBridged(rs)
	b.logARP(rs)
	must(t, rs.Apply())
	b.logXTables(t, n.router)

	e := start(t, n.router, "--collector.protocols=all")
	n.sendRouted(t)
	n.sendBridged(t)
	b.check(t, e)

	for _, entry := range b {
		packets, _, err := entry.Count()
		must(t, err)
		if packets == 0 {
			t.Errorf("the rule of %+v has logged nothing", entry.labels)
		}
	}
	s := e.mustScrape(t)
	for _, reason := range []string{"message", "attribute", "packet"} {
		if err := s.expect(0, "nflog_decode_errors_total", "reason", reason); err != nil {
			t.Error(err)
		}
	}
	if err := s.expect(0, "nflog_unknown_attributes_total"); err != nil {
		t.Error(err)
	}
	if err := s.expect(float64(len(b)), "nflog_label_sets"); err != nil {
		t.Error(err)
	}
}

// A version is a version of IP.
type version struct {
	family    string // value of the label
	etherType uint16
	protocols []uint8
}

// versions returns both versions of IP.
func versions() []version {
	return []version{
		{"ip", traffic.EtherTypeIPv4, []uint8{traffic.ProtocolTCP, traffic.ProtocolUDP, traffic.ProtocolICMP}},
		{"ip6", traffic.EtherTypeIPv6, []uint8{traffic.ProtocolTCP, traffic.ProtocolUDP, traffic.ProtocolICMPv6, traffic.ProtocolNoNext}},
	}
}

// protocolName returns the value of the label protocol for a transport protocol.
func protocolName(protocol uint8) string {
	switch protocol {
	case traffic.ProtocolTCP:
		return "tcp"
	case traffic.ProtocolUDP:
		return "udp"
	case traffic.ProtocolICMP:
		return "icmp"
	case traffic.ProtocolICMPv6:
		return "icmpv6"
	}
	return strconv.Itoa(int(protocol))
}

// logRouted logs routed packets at each hook of the tables that see IP, by
// interface and protocol.
func (b *book) logRouted(t *testing.T, rs *nftrules.Ruleset) {
	t.Helper()
	places := []struct {
		hook    nftrules.Hook
		name    string
		in, out string
	}{
		{hook: nftrules.Prerouting, name: "prerouting", in: "eth0"},
		{hook: nftrules.Input, name: "input", in: "eth0"},
		{hook: nftrules.Forward, name: "forward", in: "eth0", out: "eth1"},
		{hook: nftrules.Forward, name: "forward", in: "eth1", out: "eth0"},
		{hook: nftrules.Output, name: "output", out: "eth0"},
		{hook: nftrules.Postrouting, name: "postrouting", in: "eth0", out: "eth1"},
		{hook: nftrules.Postrouting, name: "postrouting", in: "eth1", out: "eth0"},
		// From the router itself: the rules above accept the others.
		{hook: nftrules.Postrouting, name: "postrouting", out: "eth0"},
	}
	for _, table := range []struct {
		name   string
		family nftrules.Family
	}{
		{"inet", nftrules.INet},
		{"ip", nftrules.IPv4},
		{"ip6", nftrules.IPv6},
	} {
		chains := make(map[nftrules.Hook]*nftrules.ChainRules)
		for _, p := range places {
			if chains[p.hook] == nil {
				chains[p.hook] = rs.Chain(nftrules.Chain{Family: table.family, Hook: p.hook})
			}
			for _, v := range versions() {
				if table.name != "inet" && table.name != v.family {
					continue
				}
				for _, protocol := range v.protocols {
					parts := []nftrules.Part{nftrules.EtherType(v.etherType), nftrules.L4Proto(protocol), nftrules.Accept()}
					if p.in != "" {
						parts = append(parts, nftrules.InInterface(p.in))
					}
					if p.out != "" {
						parts = append(parts, nftrules.OutInterface(p.out))
					}
					b.log(chains[p.hook], labels{
						Prefix:   "table " + table.name,
						Family:   v.family,
						Hook:     p.name,
						In:       p.in,
						Out:      p.out,
						Protocol: protocolName(protocol),
					}, parts...)
				}
			}
			must(t, rs.Apply()) // hundreds at once exceed the buffer of the socket
		}
	}
}

// logLoopback logs UDP on the loopback interface. There, TCP belongs to the exporter.
func (b *book) logLoopback(rs *nftrules.Ruleset) {
	output, input := rs.Chain(nftrules.Chain{Hook: nftrules.Output}), rs.Chain(nftrules.Chain{Hook: nftrules.Input})
	for _, v := range versions() {
		l := labels{Family: v.family, Protocol: "udp"}
		parts := []nftrules.Part{nftrules.EtherType(v.etherType), nftrules.UDPPort(discard)}

		l.Prefix, l.Hook, l.In, l.Out = "to itself", "output", "", "lo"
		b.log(output, l, append(parts, nftrules.OutInterface("lo"))...)
		l.Prefix, l.Hook, l.In, l.Out = "from itself", "input", "lo", ""
		b.log(input, l, append(parts, nftrules.InInterface("lo"))...)
	}
}

// logDevice logs at the ingress and egress hooks of eth0.
func (b *book) logDevice(rs *nftrules.Ruleset) {
	inet := rs.Chain(nftrules.Chain{Hook: nftrules.Ingress, Device: "eth0"})
	for _, v := range versions() {
		for _, protocol := range v.protocols {
			b.log(inet, labels{
				Prefix: "inet ingress", Family: v.family, Hook: "ingress", In: "eth0", Protocol: protocolName(protocol),
			}, nftrules.EtherType(v.etherType), nftrules.L4Proto(protocol))
		}
	}

	for _, hook := range []struct {
		hook      nftrules.Hook
		labels    labels
		linkBytes uint64 // that the rule counts beside a VLAN tag
	}{
		{nftrules.Ingress, labels{Prefix: "netdev ingress", Family: "netdev", Hook: "ingress", In: "eth0"}, 0},
		{nftrules.Egress, labels{Prefix: "netdev egress", Family: "netdev", Hook: "egress", Out: "eth0"}, 14},
	} {
		chain := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: hook.hook, Device: "eth0"})
		l := hook.labels
		for _, protocol := range []uint8{
			traffic.ProtocolTCP, traffic.ProtocolUDP, traffic.ProtocolICMP, traffic.ProtocolICMPv6, traffic.ProtocolNoNext,
		} {
			l.Protocol = protocolName(protocol)
			b.addEntry(entry{
				counter: chain.Log(group, l.Prefix, nftrules.L4Proto(protocol)),
				labels:  l,
				extra:   hook.linkBytes,
			})
		}
		// A VLAN tag that the kernel has left in the packet.
		l.Prefix, l.Protocol = hook.labels.Prefix+" tagged", "udp"
		b.addEntry(entry{
			counter: chain.Log(group, l.Prefix, nftrules.EtherType(traffic.EtherTypeVLAN)),
			labels:  l,
			extra:   hook.linkBytes + 4,
		})
		l.Prefix, l.Protocol = hook.labels.Prefix, "0x88cc"
		b.addEntry(entry{
			counter:  chain.Log(group, l.Prefix, nftrules.EtherType(traffic.EtherTypeLLDP)),
			labels:   l,
			sizeless: true,
		})
	}
}

// Ports of UDP datagrams that cross the bridge.
const (
	paddedPort = 10 // in frames with 18 bytes of padding
	taggedPort = 11 // in frames with a VLAN tag
)

// experimental is an EtherType for experiments.
const experimental = 0x88b5

// logBridged logs the packets that pass the bridge.
func (b *book) logBridged(rs *nftrules.Ruleset) {
	const bridged = 1 // only packets that are not to or from the router itself
	kinds := []struct {
		name     string
		protocol string
		match    nftrules.Part
		only     int
		extra    uint64
		sizeless bool
	}{
		{name: "plain", protocol: "udp", match: nftrules.UDPPort(discard)},
		{name: "arp", protocol: "arp", match: nftrules.EtherType(traffic.EtherTypeARP)},
		{name: "padded", protocol: "udp", match: nftrules.UDPPort(paddedPort), only: bridged, extra: 18},
		// The kernel removes the outer tag from the packet.
		{name: "tagged", protocol: "udp", match: nftrules.UDPPort(taggedPort), only: bridged},
		{name: "tagged twice", protocol: "udp", match: nftrules.EtherType(traffic.EtherTypeVLAN), only: bridged, extra: 4},
		{name: "other", protocol: fmt.Sprintf("%#x", experimental), match: nftrules.EtherType(experimental), only: bridged, sizeless: true},
	}
	for _, place := range []struct {
		hook    nftrules.Hook
		labels  labels
		bridged bool
	}{
		{nftrules.Prerouting, labels{Hook: "prerouting", In: "br0"}, true},
		{nftrules.Input, labels{Hook: "input", In: "br0"}, false},
		{nftrules.Forward, labels{Hook: "forward", In: "br0", Out: "br0"}, true},
		{nftrules.Output, labels{Hook: "output", Out: "br0"}, false},
		{nftrules.Postrouting, labels{Hook: "postrouting", Out: "br0"}, true},
	} {
		chain := rs.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: place.hook})
		for _, kind := range kinds {
			if kind.only == bridged && !place.bridged {
				continue
			}
			l := place.labels
			l.Prefix, l.Family, l.Protocol = "bridge "+kind.name, "bridge", kind.protocol
			b.addEntry(entry{
				counter:  chain.Log(group, l.Prefix, kind.match),
				labels:   l,
				extra:    kind.extra,
				sizeless: kind.sizeless,
			})
		}
	}
}

// logARP logs the router's ARP.
func (b *book) logARP(rs *nftrules.Ruleset) {
	b.log(
		rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}),
		labels{Prefix: "request", Family: "arp", Hook: "input", In: "br0", Protocol: "arp"},
	)
	b.addEntry(entry{
		counter: rs.Chain(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}).Log(group, "reply"),
		labels:  labels{Prefix: "reply", Family: "arp", Hook: "output", Out: "br0", Protocol: "arp"},
		extra:   14, // the link header
	})
}
