// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationPrometheus has a real Prometheus scrape the exporter, over TLS and with a password, while the test provokes
// every alert. It checks that the counts in Prometheus are those of the firewall's rules, that each alert fires, that alerts end
// with their cause, and that each query of dashboards, rules and documentation returns something.
func TestIntegrationPrometheus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		prometheus []string
		exporter   []string
		sized      string // packets in the histogram, by prefix
	}{
		{
			name:  "classic histograms",
			sized: "sum by (prefix) (nflog_packet_size_bytes_count{%s})",
		},
		{
			// With them, this Prometheus ignores classic histograms. The labels are those that the Helm chart sets.
			name:       "native histograms",
			prometheus: []string{"--enable-feature=native-histograms"},
			exporter:   []string{"--collector.histogram-labels=prefix"},
			sized:      "histogram_count(sum by (prefix) (nflog_packet_size_bytes{%s}))",
		},
	}
	kerneltest.Require(t, "prometheus")
	week := newSite(t).recordWeek(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tt.exporter...)
			data := t.TempDir()
			must(t, os.CopyFS(data, os.DirFS(week)))
			m := startMonitor(t, s, data, tt.prometheus...)

			m.awaitAlert(t, "NflogExporterMissing")
			m.configure(t, m.config(true))
			m.awaitEnd(t, "NflogExporterMissing")
			m.awaitAlert(t, "NflogSilent") // of the other instance

			// Another process takes the group while the exporter does not run.
			s.exporter.kill()
			m.awaitAlert(t, "NflogExporterDown")
			_, release := holdByLibrary(t, s.router)
			s.startExporter(t)
			m.awaitEnd(t, "NflogExporterDown")
			m.awaitReason(t, "held")
			release()
			m.awaitEnd(t, "NflogGroupNotBound")

			m.checkFiring(t, "NflogRulesUnread", "NflogScrapedRarely", "NflogSilent")

			before, troubles := s.counted(t), s.countedTroubles(t)
			for range 5 {
				s.talk(t)
				s.talkMore(t)
				m.awaitScrape(t)
			}
			s.causeTrouble(t, m)
			m.awaitAllAlerts(t)
			m.awaitCounts(t, s.counted(t).since(before), tt.sized)
			m.awaitAnswers(t, s)
			m.awaitTroubledCounts(t, s, troubles)

			s.restoreConfig(t)
			m.awaitEnd(t, "NflogConfigReloadFailed")
		})
	}
}
