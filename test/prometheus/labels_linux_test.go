// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

// TestIntegrationTargetLabels scrapes a target that has labels of the exporter's names. Prometheus renames those of the
// exporter, unless honor_labels is set. Then the exporter's count even where they are empty, as the prefix of a rule
// without one.
func TestIntegrationTargetLabels(t *testing.T) {
	target := model.LabelSet{"group": "edge", "prefix": "dc1", "family": "small", "protocol": "http", "rack": "r1"}
	for _, tt := range []struct {
		name  string
		honor bool
		added string // to the names of the exporter's labels
	}{
		{"the target's labels", false, "exported_"},
		{"honor_labels", true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			startExporter(t, h.ns)
			s := startServer(t, features{honor: tt.honor, target: target}, func(ctx context.Context) (net.Conn, error) { return dial(ctx, h.ns) })
			s.awaitSeries(t, "nflog_prefix_packets_total", len(h.logs))
			for rule := range h.logs {
				h.send(t, rule, 100, 1000)
			}
			s.awaitCounts(t, h)
			at := s.awaitScrapes(t, 1)

			packets, _ := h.counts(t)
			got := s.vector(t, at, tt.added+"prefix", "sum by (%sprefix) (nflog_packets_total)", tt.added)
			if diff := cmp.Diff(packets, got); diff != "" {
				t.Errorf("unexpected packets by prefix (-rules +Prometheus):\n%s", diff)
			}
			for label, want := range map[string]string{"group": "100", "family": "ip", "protocol": "udp"} {
				got := s.vector(t, at, tt.added+label, "count by (%s%s) (nflog_packets_total)", tt.added, label)
				if len(got) != 1 || got[want] == 0 {
					t.Errorf("nflog_packets_total has %s%s %v, want %s alone", tt.added, label, got, want)
				}
			}
			// What the exporter does not have is the target's.
			for _, metric := range []string{"up", "nflog_packets_total"} {
				if got := s.vector(t, at, "rack", "count by (rack) (%s)", metric); len(got) != 1 || got["r1"] == 0 {
					t.Errorf("%s has rack %v, want r1", metric, got)
				}
			}
		})
	}
}
