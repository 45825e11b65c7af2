// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// sourceSamples returns the samples about sources.
func (f *feed) sourceSamples(t *testing.T) map[string]float64 {
	t.Helper()
	got := make(map[string]float64)
	for name, value := range samples(t, f.collector) {
		if strings.HasPrefix(name, "nflog_source") {
			got[name] = value
		}
	}
	return got
}

func (f *feed) checkSources(t *testing.T, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, f.sourceSamples(t)); diff != "" {
		t.Errorf("unexpected samples about sources (-want +got):\n%s", diff)
	}
}

// with returns a message with a prefix.
func with(prefix string, m nflogtest.Message) nflogtest.Message {
	m.Prefix = prefix
	return m
}

func TestTopSources(t *testing.T) {
	f := newFeed(t, Config{TopSources: 5, Labels: []string{"hook"}})
	f.count(udpInput("", 2, 100))
	for range 20 {
		f.count(with("drop ", between("192.0.2.1", "10.0.0.1")), with("drop", between("2001:db8::1", "fd00::1")), with("drop", between("2001:db8::2", "fd00::1")))
	}
	f.count(with("arp", nflogtest.Message{Family: 3, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.ARPRequest)}))
	f.checkSources(t, map[string]float64{
		`nflog_sources{group="100",prefix=""}`:                                         1,
		`nflog_sources{group="100",prefix="drop"}`:                                     2,
		`nflog_source_packets_total{group="100",prefix="drop",source="192.0.2.1"}`:     20,
		`nflog_source_packets_total{group="100",prefix="drop",source="2001:db8::/64"}`: 40,
	})
	groups, ok := f.collector.TopSources()
	if !ok || len(groups) != 1 || groups[0].Group != 100 || len(groups[0].Prefixes) != 2 || groups[0].Prefixes[1].Sources[0].Address != "2001:db8::/64" {
		t.Errorf("top sources: %t %+v", ok, groups)
	}

	// Prefix rules name prefixes anew. Other decoders have other origins.
	mustReload(t, f.collector, []GroupConfig{{Group: 100}}, prefix.Rule{Match: "drop", Prefix: "dropped"})
	f.attach()
	for range 10 {
		f.count(with("drop", between("192.0.2.9", "10.0.0.1")))
	}
	got := f.sourceSamples(t)
	if got[`nflog_source_packets_total{group="100",prefix="dropped",source="192.0.2.9"}`] != 10 {
		t.Errorf("unexpected samples after a reload: %v", got)
	}
}

func TestTopSourcesOff(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(between("192.0.2.1", "10.0.0.1"))
	f.checkSources(t, map[string]float64{})
	if groups, ok := f.collector.TopSources(); ok || groups != nil {
		t.Errorf("top sources: %t %v", ok, groups)
	}
}

// TestTopSourcesAllocations checks that nothing is allocated for a packet.
func TestTopSourcesAllocations(t *testing.T) {
	f := newFeed(t, Config{TopSources: 20, Labels: addressLabelNames})
	var datagram []byte
	for i := range uint32(200) {
		m := between(fmt.Sprintf("192.0.2.%d", i), "10.0.0.1")
		m.Group, m.Seq = 100, i
		datagram = m.Append(datagram)
	}
	f.countDatagram(datagram)
	if n := testing.AllocsPerRun(100, func() { f.countDatagram(datagram) }); n > 1 { // the decoder's view of the datagram
		t.Errorf("%v allocations for %d packets", n, 200)
	}
}

// BenchmarkCountSources counts packets of a few sources, and of a flood of forged ones: without the labels of addresses and top
// sources, and with them.
func BenchmarkCountSources(b *testing.B) {
	configs := []struct {
		name   string
		config Config
	}{
		{"default", Config{}},
		{"labels", Config{Labels: append(DefaultLabels(), "source", "destination")}},
		{"top", Config{TopSources: 20}},
	}
	for _, sources := range []int{50, 1 << 24} {
		r := seededRand()
		var datagrams [][]byte
		const packets = 1000
		for range 50 {
			var datagram []byte
			for i := range packets {
				n := r.IntN(sources)
				m := between(fmt.Sprintf("%d.%d.%d.1", 11+n>>16%200, n>>8&255, n&255), "192.0.2.1")
				m.Group, m.Seq, m.Prefix, m.InDev, m.Ethernet, m.Timestamp = 100, uint32(i), "fw wan drop: ", 1, true, 1
				datagram = m.Append(datagram)
			}
			datagrams = append(datagrams, nflogtest.Done(datagram))
		}
		for _, c := range configs {
			b.Run(fmt.Sprintf("%d/%s", sources, c.name), func(b *testing.B) {
				f := newFeed(b, c.config)
				i := 0
				for b.Loop() {
					f.countDatagram(datagrams[i%len(datagrams)])
					i++
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
			})
		}
	}
}
