// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationAggregates logs aggregates of UDP datagrams (UDP_SEGMENT). The kernel carries each as one packet up to the
// receiving socket, which splits it.
func TestIntegrationAggregates(t *testing.T) {
	t.Parallel()
	sender, receiver := pair(t)
	rs := nftrules.New(receiver)
	var b book
	want := make(map[labels]counts)
	for _, v := range []version{{family: "ip", etherType: traffic.EtherTypeIPv4}, {family: "ip6", etherType: traffic.EtherTypeIPv6}} {
		for _, place := range []struct {
			hook nftrules.Hook
			labels
		}{
			{nftrules.Prerouting, labels{Hook: "prerouting", In: "eth0"}},
			{nftrules.Input, labels{Hook: "input", In: "eth0"}},
			{nftrules.Output, labels{Hook: "output", Out: "lo"}},
			{nftrules.Input, labels{Hook: "input", In: "lo"}},
		} {
			l := place.labels
			l.Prefix, l.Family, l.Protocol = "aggregate", v.family, "udp"
			parts := []nftrules.Part{nftrules.EtherType(v.etherType), nftrules.UDPPort(discard)}
			if l.In != "" {
				parts = append(parts, nftrules.InInterface(l.In))
			}
			b.log(rs.Chain(nftrules.Chain{Hook: place.hook}), l, parts...)

			header := uint64(20 + 8)
			if v.family == "ip6" {
				header = 40 + 8
			}
			l.Group = "100"
			want[l] = counts{Packets: 1, Bytes: header + 20*1200, Sized: 1}
		}
	}
	must(t, rs.Apply())

	e := start(t, receiver)
	must(t,
		traffic.UDPSegments(sender, toPort(routerL4), 20, 1200),
		traffic.UDPSegments(sender, toPort(routerL6), 20, 1200),
		traffic.UDPSegments(receiver, toPort(loopback4), 20, 1200),
		traffic.UDPSegments(receiver, toPort(loopback6), 20, 1200),
	)
	b.check(t, e)
	got, err := e.mustScrape(t).labelSets()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected counts (-want +got):\n%s", diff)
	}
}
