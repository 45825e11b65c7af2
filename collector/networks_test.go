// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// between returns the message of a UDP packet from one address to another.
func between(source, destination string) nflogtest.Message {
	s, d := netip.MustParseAddr(source), netip.MustParseAddr(destination)
	m := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}
	udp := traffic.UDPDatagram(netip.AddrPortFrom(s, 1), netip.AddrPortFrom(d, 9), nil)
	if s.Is4() {
		m.Payload = traffic.IPv4{Src: s, Dst: d, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes()
	} else {
		m.Family, m.HWProtocol = 10, 0x86dd
		m.Payload = traffic.IPv6{Src: s, Dst: d, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes()
	}
	return m
}

// byAddresses returns packets by source and destination.
func (f *feed) byAddresses(t *testing.T) map[string]uint64 {
	t.Helper()
	got := make(map[string]uint64)
	for _, set := range f.snapshot().sets {
		labels := f.labelsOf(set.series)
		got[labels["source"]+" > "+labels["destination"]] += set.packets
	}
	return got
}

func (f *feed) checkAddresses(t *testing.T, want map[string]uint64) {
	t.Helper()
	if diff := cmp.Diff(want, f.byAddresses(t)); diff != "" {
		t.Errorf("unexpected packets by source and destination (-want +got):\n%s", diff)
	}
}

// netOf returns a network with these CIDRs.
func netOf(name string, cidrs ...string) network.Network {
	n := network.Network{Name: name}
	for _, s := range cidrs {
		n.CIDRs = append(n.CIDRs, netip.MustParsePrefix(s))
	}
	return n
}

var addressLabelNames = []string{"source", "destination"}

// TestNetworkClasses checks the values of addresses without a configuration, and of packets without addresses.
func TestNetworkClasses(t *testing.T) {
	f := newFeed(t, Config{Labels: addressLabelNames})
	cut := between("10.0.0.1", "8.8.8.8")
	cut.Payload = cut.Payload[:19]
	f.count(between("10.0.0.1", "8.8.8.8"), between("10.0.0.2", "8.8.4.4"), between("fd00::1", "2606:4700::1"), between("127.0.0.1", "224.0.0.1"),
		cut, nflogtest.Message{Family: 3, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.ARPRequest)})
	f.checkAddresses(t, map[string]uint64{"private > public": 3, "loopback > multicast": 1, " > ": 2})
}

// TestNetworkOne checks that each of the two labels can be selected alone.
func TestNetworkOne(t *testing.T) {
	for label, want := range map[string]map[string]uint64{"source": {"private > ": 1}, "destination": {" > public": 1}} {
		f := newFeed(t, Config{Labels: []string{label}})
		f.count(between("10.0.0.1", "8.8.8.8"))
		f.checkAddresses(t, want)
	}
}

// TestNetworkLimit checks that a scan through a network by address makes no more label sets than the network shows addresses, and
// that addresses that are quiet make room for others.
func TestNetworkLimit(t *testing.T) {
	lan := netOf("lan", "10.0.0.0/16")
	lan.ByAddress, lan.MaxAddresses = true, 3
	f := newFeed(t, Config{Labels: []string{"source"}, Networks: []network.Network{lan}})
	for i := range 1000 {
		f.count(between(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "8.8.8.8"))
	}
	f.count(between("192.0.2.1", "8.8.8.8"))
	f.checkAddresses(t, map[string]uint64{"10.0.0.0 > ": 1, "10.0.0.1 > ": 1, "10.0.0.2 > ": 1, "__overflow__ > ": 997, "other > ": 1})

	for range 17 {
		f.now = f.now.Add(time.Minute)
		f.count(between("10.0.0.1", "8.8.8.8"))
	}
	f.count(between("10.0.0.7", "8.8.8.8"), between("10.0.0.8", "8.8.8.8"), between("10.0.0.9", "8.8.8.8"))
	f.checkAddresses(t, map[string]uint64{"10.0.0.1 > ": 18, "10.0.0.7 > ": 1, "10.0.0.8 > ": 1, "__overflow__ > ": 998, "other > ": 1})
	if n := f.snapshot().forgotten; n != 2 {
		t.Errorf("%d packets were forgotten, want 2", n)
	}
}

// TestNetworkReload changes the networks while packets are counted. Addresses that are shown stay so, as the limit holds.
func TestNetworkReload(t *testing.T) {
	lan := netOf("lan", "10.0.0.0/16")
	lan.ByAddress, lan.MaxAddresses = true, 2
	f := newFeed(t, Config{Labels: addressLabelNames, Networks: []network.Network{lan}})
	f.count(between("10.0.0.1", "192.0.2.1"), between("10.0.0.2", "192.0.2.1"), between("10.0.0.3", "192.0.2.1"))
	f.reloadNetworks(t, lan, netOf("office", "192.0.2.0/24"))
	f.count(between("10.0.0.1", "192.0.2.1"), between("10.0.0.3", "192.0.2.1"))
	f.reloadNetworks(t)
	f.count(between("10.0.0.1", "192.0.2.1"))
	f.checkAddresses(t, map[string]uint64{
		"10.0.0.1 > other": 1, "10.0.0.2 > other": 1, "__overflow__ > other": 1, "10.0.0.1 > office": 1, "__overflow__ > office": 1,
		"private > documentation": 1,
	})
}

func (f *feed) reloadNetworks(t *testing.T, networks ...network.Network) {
	t.Helper()
	if err := f.collector.Reload([]GroupConfig{{Group: 100}}, nil, networks); err != nil {
		t.Fatal(err)
	}
}

// TestNetworkInterface checks that a network follows the addresses of its interface: from the start, and after a reload.
func TestNetworkInterface(t *testing.T) {
	pods := network.Network{Name: "pods", Interface: "eth0", ByAddress: true}
	f := newFeed(t, Config{Labels: []string{"source"}, Networks: []network.Network{netOf("db", "10.42.9.0/24")}})
	f.names.networks = map[string][]netip.Prefix{"eth0": netOf("", "10.42.0.0/16").CIDRs}
	f.count(between("10.42.0.1", "8.8.8.8"))
	if f.names.followed {
		t.Error("addresses are followed although no network needs them")
	}
	f.reloadNetworks(t, pods)
	f.count(between("10.42.0.1", "8.8.8.8"), between("10.43.0.1", "8.8.8.8"))
	f.names.networks = map[string][]netip.Prefix{"eth0": netOf("", "10.43.0.0/16").CIDRs}
	f.names.renames++
	f.count(between("10.42.0.1", "8.8.8.8"), between("10.43.0.1", "8.8.8.8"))
	f.checkAddresses(t, map[string]uint64{"other > ": 3, "10.42.0.1 > ": 1, "10.43.0.1 > ": 1})
}

func TestNetworksUnused(t *testing.T) {
	logs := &logRecorder{}
	f := newFeed(t, Config{Logger: logs, Networks: []network.Network{netOf("a", "10.0.0.0/8")}})
	f.reloadNetworks(t, netOf("b", "10.0.0.0/8"))
	if n := len(logs.with("The networks have no effect")); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	bad := network.Network{Name: "other"}
	if _, err := New(Config{Groups: []GroupConfig{{Group: 1}}, Labels: addressLabelNames, Networks: []network.Network{bad}}); err == nil {
		t.Error("a network with a reserved name is no error")
	}
}

// TestNetworkReloadWait reloads 100,000 CIDRs while packets are counted, and checks that this holds up nobody for 100 ms.
func TestNetworkReloadWait(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	many := netOf("many")
	for i := range 100_000 {
		p, _ := netip.AddrFrom4([4]byte{byte(11 + i%200), byte(i >> 16), byte(i >> 8), byte(i)}).Prefix(32 - i%12)
		many.CIDRs = append(many.CIDRs, p)
	}
	lan := netOf("lan", "10.0.0.0/8")
	lan.ByAddress, lan.MaxAddresses = true, 10_000
	f := newFeed(t, Config{Labels: []string{"source"}, MaxLabelSets: 20_000, Networks: []network.Network{lan, many}})
	var flood []nflogtest.Message
	for i := range 10_000 {
		flood = append(flood, between(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "8.8.8.8"))
	}
	f.count(flood...)
	if n := len(f.byAddresses(t)); n != 10_000 {
		t.Fatalf("%d addresses are shown", n)
	}
	var held heldUp
	// What takes the processor may hold up one try.
	for range 5 {
		held = heldUp{}
		held.longest(f.collector, func() { f.reloadNetworks(t, lan, many) })
		t.Logf("a reload held up %+v", held)
		if max(held.reader, held.scrape, held.state) < 100*time.Millisecond {
			break
		}
	}
	if longest := max(held.reader, held.scrape, held.state); longest > 100*time.Millisecond {
		t.Errorf("each of five reloads held something up, the last for %v", longest)
	}
	f.count(flood...)
	for value, n := range f.byAddresses(t) {
		if n != 2 {
			t.Fatalf("%s has %d packets, want 2", value, n)
		}
	}
}
