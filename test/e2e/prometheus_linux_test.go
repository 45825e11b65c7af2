// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationPrometheus lets a real Prometheus scrape the exporter, over TLS and with a password, while all goes wrong that
// there are alerts for. It checks that the numbers in Prometheus are those of the firewall's rules, that each alert fires, that
// those end whose cause does, and that each query of dashboards, rules and README returns something.
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
			// This Prometheus leaves the classic ones out then. The labels are those that the Helm chart sets.
			name:       "native histograms",
			prometheus: []string{"--enable-feature=native-histograms"},
			exporter:   []string{"--collector.histogram-labels=prefix"},
			sized:      "histogram_count(sum by (prefix) (nflog_packet_size_bytes{%s}))",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			kerneltest.Require(t, "prometheus")
			s := newSite(t, tt.exporter...)
			data := s.spendWeek(t)
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

			m.checkFiring(t, "NflogSilent")

			before, troubles := s.counted(t), s.countedTroubles(t)
			for range 5 {
				s.talk(t)
				s.talkOn(t)
				m.awaitScrape(t)
			}
			s.breakDown(t, m)
			m.awaitAllAlerts(t)
			m.awaitCounts(t, s.counted(t).since(before), tt.sized)
			m.awaitAnswers(t, s)
			m.awaitTroubles(t, s, troubles)

			s.mend(t)
			m.awaitEnd(t, "NflogConfigReloadFailed")
		})
	}
}
