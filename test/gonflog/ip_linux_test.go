// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Paths of packets through the hooks of a router. The prefixes of the rules are the
// names of the hooks.
var (
	forwarded  = []string{"ingress", "prerouting", "forward", "postrouting"}
	toRouter   = []string{"ingress", "prerouting", "input"}
	fromRouter = []string{"output", "postrouting"}
)

// valuesAt are the attributes that packets have at a hook beside the common ones.
var valuesAt = map[string][]string{
	"ingress":     {"InDev", "HwAddr", "HwHeader", "HwType", "HwLen"},
	"prerouting":  {"InDev", "HwAddr", "HwHeader", "HwType", "HwLen", "Timestamp"},
	"input":       {"InDev", "HwAddr", "HwHeader", "HwType", "HwLen", "Timestamp"},
	"forward":     {"InDev", "HwAddr", "HwHeader", "HwType", "HwLen", "Timestamp", "OutDev"},
	"output":      {"OutDev", "UID", "GID"},
	"postrouting": {"OutDev"},
}

// logRouted logs the packets that come from the left link at ingress to forward, and
// the packets that leave by the right link at output and postrouting.
func logRouted(d *differential) {
	chain := func(hook nftrules.Hook, device string) *nftrules.ChainRules {
		return d.rules.Chain(nftrules.Chain{Hook: hook, Device: device})
	}
	d.log(chain(nftrules.Ingress, "left"), "ingress")
	d.log(chain(nftrules.Prerouting, ""), "prerouting", nftrules.InInterface("left"))
	d.log(chain(nftrules.Input, ""), "input", nftrules.InInterface("left"))
	d.log(chain(nftrules.Forward, ""), "forward", nftrules.InInterface("left"))
	d.log(chain(nftrules.Output, ""), "output", nftrules.OutInterface("right"))
	d.log(chain(nftrules.Postrouting, ""), "postrouting", nftrules.OutInterface("right"))
}

// TestIntegrationIP logs many kinds of IP packets at all hooks of a router.
func TestIntegrationIP(t *testing.T) {
	n := newRouted(t)
	stampPackets(t)
	d := newDifferential(t, n.middle, everyPacket())
	logRouted(d)
	must(t, d.rules.Apply())
	for _, tt := range slices.Concat(ipCases(4, leftHost4, leftRouter4, rightHost4), ipCases(6, leftHost6, leftRouter6, rightHost6), extensionCases()) {
		ok := t.Run(tt.name, func(t *testing.T) {
			from := n.left
			if slices.Equal(tt.path, fromRouter) {
				from = n.middle
			}
			d.unstamped = tt.tcp
			must(t, tt.send(from))
			var path []string
			for _, a := range d.takeEqual(t, len(tt.path)) {
				checkPresent(t, a, "Hook", "HwProtocol", "Prefix", "Payload", "Seq")
				checkPresent(t, a, valuesAt[*a.Prefix]...)
				if got := *a.HwProtocol; got != tt.etherType {
					t.Errorf("unexpected protocol: %#x, want %#x", got, tt.etherType)
				}
				path = append(path, *a.Prefix)
			}
			if diff := cmp.Diff(tt.path, path); diff != "" {
				t.Errorf("unexpected path (-want +got):\n%s", diff)
			}
		})
		if !ok {
			break // late packets would disturb the other cases
		}
	}
}

// An ipCase sends one packet.
type ipCase struct {
	name      string
	send      func(from *netns.NS) error
	path      []string
	etherType uint16

	// tcp says that the packet is TCP. In such packets, the timestamp field holds the
	// time at which they are to be sent, even in another namespace of the same
	// kernel. In others it holds the time of receipt.
	tcp bool
}

// ipCases returns the cases that exist for both IPv4 and IPv6.
func ipCases(version int, left, router, right netip.Prefix) []ipCase {
	name, etherType := " over IPv4", uint16(traffic.EtherTypeIPv4)
	if version == 6 {
		name, etherType = " over IPv6", traffic.EtherTypeIPv6
	}
	port := func(p netip.Prefix) netip.AddrPort { return netip.AddrPortFrom(p.Addr(), 9) }
	udp := func(size int, to netip.Prefix) func(*netns.NS) error {
		return func(from *netns.NS) error { return traffic.UDP(from, port(to), 1, size) }
	}
	return []ipCase{
		{"UDP, forwarded" + name, udp(100, right), forwarded, etherType, false},
		{"UDP, to the router" + name, udp(101, router), toRouter, etherType, false},
		{"UDP, from the router" + name, udp(102, right), fromRouter, etherType, false},
		{"UDP without payload" + name, udp(0, right), forwarded, etherType, false},
		{"TCP" + name, func(from *netns.NS) error { return traffic.SYN(from, port(right), 1) }, forwarded, etherType, true},
		{"ICMP" + name, func(from *netns.NS) error { return traffic.Echo(from, right.Addr(), 1, 56) }, forwarded, etherType, false},
		{"aggregate" + name, func(from *netns.NS) error { return traffic.UDPSegments(from, port(right), 10, 1400) }, forwarded, etherType, false},
		{"unknown protocol" + name, func(from *netns.NS) error {
			return traffic.SendIP(from, ipPacket(left.Addr(), right.Addr(), []byte("abc")))
		}, forwarded, etherType, false},
	}
}

// ipPacket returns an IPv4 or IPv6 packet with a protocol number for experiments.
func ipPacket(src, dst netip.Addr, payload []byte) []byte {
	const protocol = 253
	if src.Is4() {
		return traffic.IPv4{Src: src, Dst: dst, Protocol: protocol, Payload: payload}.Bytes()
	}
	return traffic.IPv6{Src: src, Dst: dst, Protocol: protocol, Payload: payload}.Bytes()
}

// extensionCases returns fragments and packets with options.
func extensionCases() []ipCase {
	send4 := func(p traffic.IPv4) func(*netns.NS) error {
		p.Src, p.Dst, p.Protocol = leftHost4.Addr(), rightHost4.Addr(), traffic.ProtocolUDP
		return func(from *netns.NS) error { return traffic.SendIP(from, p.Bytes()) }
	}
	send6 := func(extensions ...traffic.Extension) func(*netns.NS) error {
		p := traffic.IPv6{
			Src: leftHost6.Addr(), Dst: rightHost6.Addr(), Extensions: extensions,
			Protocol: traffic.ProtocolUDP, Payload: make([]byte, 24),
		}
		return func(from *netns.NS) error { return traffic.SendIP(from, p.Bytes()) }
	}
	options := traffic.IPv4{Options: []byte{1, 1, 1, 1}, Payload: make([]byte, 16)}
	first := traffic.IPv4{ID: 1, MoreFragments: true, Payload: make([]byte, 16)}
	last := traffic.IPv4{ID: 1, FragmentOffset: 16, Payload: make([]byte, 7)}
	return []ipCase{
		{"options of IPv4", send4(options), forwarded, traffic.EtherTypeIPv4, false},
		{"first fragment of IPv4", send4(first), forwarded, traffic.EtherTypeIPv4, false},
		{"last fragment of IPv4", send4(last), forwarded, traffic.EtherTypeIPv4, false},
		{"extensions of IPv6", send6(traffic.HopByHop(), traffic.DestinationOptions(), traffic.Routing()), forwarded, traffic.EtherTypeIPv6, false},
		{"fragment of IPv6", send6(traffic.Fragment(8, true, 1)), forwarded, traffic.EtherTypeIPv6, false},
	}
}
