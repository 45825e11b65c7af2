// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/nflog-exporter/nflog_exporter/test/queries"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationPods sends packets from one pod to another, and asks the dashboard which they were. Series stand in for those of
// kube-state-metrics. A pod that has ended had one of the addresses before.
func TestIntegrationPods(t *testing.T) {
	t.Parallel()
	const from, to = "127.0.0.1", "127.0.0.2"
	h := newHost(t)
	file := filepath.Join(t.TempDir(), "nflog.yml")
	must(t, os.WriteFile(file, []byte("networks: [{name: pods, cidrs: [127.0.0.0/8], by: address}]\n"), 0o600))
	startExporter(t, h.ns, "--config.file="+file, "--collector.labels=group,prefix,source,destination")
	s := startServer(t, features{}, func(ctx context.Context) (net.Conn, error) { return dial(ctx, h.ns) })

	app := s.db.Appender(t.Context())
	for _, pod := range []struct{ name, address, phase string }{
		{"cart", from, "Running"}, {"migrate", from, "Succeeded"}, {"web", to, "Running"},
	} {
		_, err := app.Append(0, labels.FromStrings("__name__", "kube_pod_info", "namespace", "shop", "pod", pod.name, "pod_ip", pod.address,
			"host_network", "false"), now(), 1)
		must(t, err)
		for _, phase := range []string{"Running", "Succeeded"} {
			is := 0.0
			if phase == pod.phase {
				is = 1
			}
			_, err := app.Append(0, labels.FromStrings("__name__", "kube_pod_status_phase", "namespace", "shop", "pod", pod.name, "phase", phase),
				now(), is)
			must(t, err)
		}
	}
	must(t, app.Commit())

	// A rate needs two samples of a series.
	s.awaitSeries(t, "nflog_prefix_packets_total", len(h.logs))
	for range 2 {
		must(t, traffic.UDP(h.ns, netip.MustParseAddrPort(to+":1000"), 7, 100))
		s.awaitCounts(t, h)
	}
	at := s.awaitScrapes(t, 1)
	sent := s.scalar(t, at, `sum(rate(nflog_packets_total{prefix="first"}[1m]))`)

	all, err := queries.All(os.DirFS("../.."))
	must(t, err)
	variables := queries.Everything("nflog", address, time.Hour, time.Minute).With(queries.Values{"__rate_interval": "1m"})
	panels := map[string]string{`panel "Packets from pods"`: "cart", `panel "Packets to pods"`: "web"}
	for _, q := range all {
		for panel, pod := range panels {
			if !strings.Contains(q.Where, panel) {
				continue
			}
			q, err := q.Fill(variables)
			must(t, err)
			got := make(map[string]float64)
			for _, sample := range s.query(t, at, "%s", q.Expr).(promql.Vector) {
				got[sample.Metric.String()] = sample.F
			}
			want := map[string]float64{labels.FromStrings("namespace", "shop", "pod", pod, "prefix", "first").String(): sent}
			if diff := cmp.Diff(want, got); diff != "" || sent == 0 {
				t.Errorf("%s: unexpected packets per second (-sent +panel):\n%s", panel, diff)
			}
			delete(panels, panel)
		}
	}
	if len(panels) != 0 {
		t.Errorf("no dashboard has %v", panels)
	}
}
