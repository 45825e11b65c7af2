// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// apply applies a ruleset.
func apply(t *testing.T, rs *nftrules.Ruleset) {
	t.Helper()
	if err := rs.Apply(); err != nil {
		t.Fatal(err)
	}
}

// ruleCount returns the rule's own counts.
func ruleCount(t *testing.T, rule *nftrules.Rule) (packets, bytes uint64) {
	t.Helper()
	packets, bytes, err := rule.Count()
	if err != nil {
		t.Fatal(err)
	}
	return packets, bytes
}

// logUDP makes a rule that logs UDP packets to port 9 to group 100, and drops them.
func logUDP(t *testing.T, ns *netns.NS) *nftrules.Rule {
	t.Helper()
	rs := nftrules.New(ns)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(100, "udp", nftrules.UDPPort(9), nftrules.Drop())
	apply(t, rs)
	return rule
}

// udpPackets returns the name of the sample that counts the packets of logUDP's rule on an interface, by default labels.
func udpPackets(outInterface string) string {
	return fmt.Sprintf(`nflog_packets_total{family="ip",group="100",hook="output",in_interface="",out_interface=%q,prefix="udp",protocol="udp"}`, outInterface)
}

// send sends UDP packets.
func send(t *testing.T, ns *netns.NS, to string, packets int) {
	t.Helper()
	if err := traffic.UDP(ns, netip.MustParseAddrPort(to), packets, 20); err != nil {
		t.Fatal(err)
	}
}

// sink receives UDP packets at addresses, so that the kernel does not answer them with ICMP errors.
func sink(t *testing.T, ns *netns.NS, addrs ...string) {
	t.Helper()
	for _, addr := range addrs {
		s, err := traffic.Sink(ns, netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
}

// hold binds group 100, as another program would, until release is called or the test ends.
func hold(t *testing.T, ns *netns.NS) (release func()) {
	t.Helper()
	holder, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { holder.Close() })
	return func() {
		t.Helper()
		if err := holder.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkFree returns an error if a socket holds the group.
func checkFree(ns *netns.NS, group uint16) error {
	reader, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		return fmt.Errorf("group %d is not free: %w", group, err)
	}
	return reader.Close()
}
