// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// senderRules is how many rules log each packet of the senders below.
const senderRules = 10

// senderPrefixes are the prefixes of these rules. One reads like packets that overflow.
func senderPrefixes() []string {
	prefixes := []string{overflow}
	for i := range senderRules - 1 {
		prefixes = append(prefixes, fmt.Sprintf("rule %d", i))
	}
	return prefixes
}

// logAllFrom makes rules that log all packets which come in by eth0 at a hook.
func logAllFrom(t *testing.T, rs *nftrules.Ruleset, chain nftrules.Chain, prefixes []string, parts ...nftrules.Part) map[string]*nftrules.Rule {
	t.Helper()
	c := rs.Chain(chain)
	rules := make(map[string]*nftrules.Rule)
	for _, prefix := range prefixes {
		rules[prefix] = c.Log(group, prefix, append(parts, nftrules.InInterface("eth0"))...)
	}
	must(t, rs.Apply())
	return rules
}

// checkByPrefix waits until all that the rules have logged is counted, and checks the sums by prefix.
func checkByPrefix(t *testing.T, e *exporter, rules map[string]*nftrules.Rule) scrape {
	t.Helper()
	e.awaitDrained(t)
	want := make(map[string]uint64)
	var all uint64
	for prefix, rule := range rules {
		packets, _, err := rule.Count()
		must(t, err)
		want[strings.Replace(prefix, overflow, `\x5f_overflow__`, 1)] = packets
		all += packets
	}
	s := e.eventually(t, bookTimeout, func(s scrape) error {
		if got := s.packets(); got != float64(all) {
			return fmt.Errorf("%.0f packets are counted, want %d", got, all)
		}
		return s.expect(0, "nflog_lost_packets_total")
	})
	if diff := cmp.Diff(want, s.sumBy("nflog_packets_total", "prefix")); diff != "" {
		t.Errorf("unexpected packets by prefix (-rules +exporter):\n%s", diff)
	}
	return s
}

// sendSlowly sends frames in parts that the socket of an ordinary user holds.
func sendSlowly(t *testing.T, e *exporter, from *netns.NS, frames [][]byte) {
	t.Helper()
	for part := range slices.Chunk(frames, 64) {
		must(t, traffic.SendFrames(from, "eth0", part...))
		e.awaitDrained(t)
	}
}

// TestIntegrationAllProtocols lets a sender make up all transport protocols, where ten rules log each packet and a rule is added
// later. By default, they take few label sets. If all go by name, they fill all, but do not hide what the rules tell.
func TestIntegrationAllProtocols(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		full bool
	}{
		{name: "default"},
		{name: "all by name", args: []string{"--collector.protocols=all"}, full: true},
		{name: "small limit", args: []string{"--collector.max-label-sets=220"}, full: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sender, receiver := pair(t)
			rs := nftrules.New(receiver)
			chain := nftrules.Chain{Hook: nftrules.Prerouting}
			rules := logAllFrom(t, rs, chain, senderPrefixes())
			e := start(t, receiver, append(tt.args, "--nflog.queue-timeout=10ms")...)
			sendSlowly(t, e, sender, allProtocolFrames(t, sender, receiver))
			before := checkByPrefix(t, e, rules)

			maps.Copy(rules, logAllFrom(t, rs, chain, []string{"new rule"}, nftrules.UDPPort(discard)))
			must(t, traffic.UDP(sender, toPort(routerL4), 7, 100))
			must(t, traffic.UDP(sender, toPort(routerL6), 5, 100))
			after := checkByPrefix(t, e, rules)
			byFamily := after.sumBy("nflog_packets_total", "prefix", "family", "hook")
			for family, want := range map[string]uint64{"ip": 7, "ip6": 5} {
				if got := byFamily["new rule/"+family+"/prerouting"]; got != want {
					t.Errorf("family %s: the new rule has %d packets, want %d", family, got, want)
				}
			}
			checkLimit(t, before, tt.full)
			checkLimit(t, after, tt.full)
		})
	}
}

// checkLimit checks whether the label sets have reached their limit, and that packets overflow then, and only by the first step.
func checkLimit(t *testing.T, s scrape, full bool) {
	t.Helper()
	sets, limit, overflowed := s.value("nflog_label_sets"), s.value("nflog_label_sets_limit"), s.value("nflog_overflow_packets_total")
	t.Logf("%v label sets, the limit is %v; %v packets overflowed", sets, limit, overflowed)
	if sets > limit*11/10 || (overflowed > 0) != full {
		t.Errorf("%v label sets at a limit of %v, %v packets overflowed", sets, limit, overflowed)
	}
	if n := s.sumBy("nflog_packets_total", "prefix")[overflow]; n != 0 {
		t.Errorf("%d packets are counted without a prefix", n)
	}
}

// allProtocolFrames returns an IPv4 and an IPv6 packet of each transport protocol.
func allProtocolFrames(t *testing.T, sender, receiver *netns.NS) (frames [][]byte) {
	t.Helper()
	src, dst := mac(t, sender, "eth0"), mac(t, receiver, "eth0")
	for p := range 256 {
		v4 := traffic.IPv4{Src: left4, Dst: routerL4, Protocol: uint8(p), Payload: make([]byte, 24)}
		v6 := traffic.IPv6{Src: left6, Dst: routerL6, Protocol: uint8(p), Payload: make([]byte, 24)}
		frames = append(frames,
			traffic.Ethernet(dst, src, traffic.EtherTypeIPv4, v4.Bytes()), traffic.Ethernet(dst, src, traffic.EtherTypeIPv6, v6.Bytes()))
	}
	return frames
}

// TestIntegrationAllEtherTypes does the same with 2,999 EtherTypes from a neighbour, bare and behind a VLAN tag.
func TestIntegrationAllEtherTypes(t *testing.T) {
	t.Parallel()
	const first, many = 0x9100, 2999
	for _, tt := range []struct {
		name string
		args []string
		full bool
	}{
		{name: "default"},
		{name: "all by name", args: []string{"--collector.protocols=all"}, full: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sender, receiver := pair(t)
			rs := nftrules.New(receiver)
			chain := nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "eth0"}
			rules := logAllFrom(t, rs, chain, senderPrefixes())
			e := start(t, receiver, append(tt.args, "--nflog.queue-timeout=10ms")...)
			src, dst := mac(t, sender, "eth0"), mac(t, receiver, "eth0")
			var frames [][]byte
			for i := range uint16(many) {
				frames = append(frames, traffic.Ethernet(dst, src, first+i, make([]byte, 46)))
			}
			for i := range uint16(100) {
				tagged := traffic.VLAN(7, traffic.EtherTypeVLAN, traffic.VLAN(8, first+i, make([]byte, 40)))
				frames = append(frames, traffic.Ethernet(dst, src, traffic.EtherTypeVLAN, tagged))
			}
			sendSlowly(t, e, sender, frames)
			before := checkByPrefix(t, e, rules)

			maps.Copy(rules, logAllFrom(t, rs, chain, []string{"new rule"}, nftrules.UDPPort(discard)))
			must(t, traffic.UDP(sender, toPort(routerL4), 7, 100))
			after := checkByPrefix(t, e, rules)
			if got := after.sumBy("nflog_packets_total", "prefix", "family", "hook")["new rule/netdev/ingress"]; got != 7 {
				t.Errorf("the new rule has %d packets, want 7", got)
			}
			checkLimit(t, before, tt.full)
			checkLimit(t, after, tt.full)
		})
	}
}

// TestIntegrationForgedJumbo sends frames whose IPv6 jumbo option tells a length that no packet has, to where nobody has checked it.
func TestIntegrationForgedJumbo(t *testing.T) {
	n := newNetwork(t)
	rs := nftrules.New(n.router)
	ingress := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "eth0"})
	bridge := rs.Chain(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Prerouting})
	rules := []*nftrules.Rule{
		ingress.Log(group, "ingress", nftrules.EtherType(traffic.EtherTypeIPv6)), bridge.Log(group, "bridge", nftrules.EtherType(traffic.EtherTypeIPv6)),
	}
	must(t, rs.Apply())
	e := start(t, n.router, "--nflog.queue-timeout=10ms")

	lengths := []uint32{512 << 10, 1 << 31, 0xfffff000, 0xffffffff}
	var forged, aggregate [][]byte
	for _, length := range lengths {
		forged = append(forged, jumbogram(length))
	}
	aggregate = append(aggregate, jumbogram(8*65535-40)) // as long as the longest
	for _, link := range []struct{ from, to *netns.NS }{{n.left, n.router}, {n.upper, n.lower}} {
		for _, packet := range append(forged, aggregate...) {
			frame := traffic.Ethernet(mac(t, link.to, "eth0"), mac(t, link.from, "eth0"), traffic.EtherTypeIPv6, packet)
			must(t, traffic.SendFrames(link.from, "eth0", frame))
		}
	}
	for _, rule := range rules {
		packets, _, err := rule.Count()
		must(t, err)
		if packets != 5 {
			t.Errorf("a rule has logged %d packets, want 5", packets)
		}
	}
	s := e.eventually(t, bookTimeout, func(s scrape) error {
		if got := s.packets(); got != 10 {
			return fmt.Errorf("%.0f packets are counted, want 10", got)
		}
		return errors.Join(s.expect(8, "nflog_decode_errors_total", "reason", "packet"), s.expect(0, "nflog_lost_packets_total"))
	})
	got, err := s.labelSets()
	must(t, err)
	want := map[labels]counts{}
	for _, l := range []labels{
		{Group: "100", Prefix: "ingress", Family: "netdev", Hook: "ingress", In: "eth0"},
		{Group: "100", Prefix: "bridge", Family: "bridge", Hook: "prerouting", In: "br0"},
	} {
		l.Protocol = "unknown"
		want[l] = counts{Packets: 4}
		l.Protocol = "udp"
		want[l] = counts{Packets: 1, Bytes: 8 * 65535, Sized: 1}
	}
	for l, c := range want {
		if got[l].Packets != c.Packets || got[l].Bytes != c.Bytes {
			t.Errorf("%+v: got %+v, want %+v", l, got[l], c)
		}
	}
	if len(got) != len(want) {
		t.Errorf("unexpected label sets: %+v", got)
	}
}

// jumbogram returns a short packet that tells this payload length in a jumbo option (RFC 2675).
func jumbogram(length uint32) []byte {
	b := traffic.IPv6{
		Src: left6, Dst: routerL6, Extensions: []traffic.Extension{traffic.HopByHop()},
		Protocol: traffic.ProtocolUDP, Payload: traffic.UDPDatagram(toPort(left6), toPort(routerL6), []byte("jumbo")),
	}.Bytes()
	b[4], b[5] = 0, 0
	option := b[42:48] // in place of the padding
	option[0], option[1] = 0xc2, 4
	binary.BigEndian.PutUint32(option[2:], length)
	return b
}
