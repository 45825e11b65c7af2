// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMetricsContentType(t *testing.T) {
	tests := []struct {
		name, accept string
		want         string // prefix of the content type
		body         string
	}{
		{name: "none", want: "text/plain; version=0.0.4", body: "nflog_up{group=\"100\"} 1\n"},
		{name: "text", accept: "text/plain;version=0.0.4", want: "text/plain; version=0.0.4", body: "# TYPE nflog_up gauge\n"},
		{name: "OpenMetrics", accept: "application/openmetrics-text;version=1.0.0", want: "application/openmetrics-text; version=1.0.0", body: "# EOF\n"},
		{
			name:   "protobuf",
			accept: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5",
			want:   "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
			body:   "\x08nflog_up",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testHandler(t, &fakeSource{}, testWebOptions())
			res := request(t, h, "GET", "/metrics", http.Header{"Accept": {tt.accept}})
			body := res.Body.String()
			if got := res.Header().Get("Content-Type"); !strings.HasPrefix(got, tt.want) {
				t.Errorf("unexpected content type: got %q, want %q", got, tt.want)
			}
			if !strings.Contains(body, tt.body) {
				t.Errorf("no %q in body:\n%s", tt.body, body)
			}
		})
	}
}

// TestMetricsCompressed checks that a client gets a compressed response if it accepts one.
func TestMetricsCompressed(t *testing.T) {
	h := testHandler(t, &fakeSource{}, testWebOptions())
	res := request(t, h, "GET", "/metrics", http.Header{"Accept-Encoding": {"gzip"}})
	if got, want := res.Header().Get("Content-Encoding"), "gzip"; got != want {
		t.Errorf("unexpected encoding: got %q, want %q", got, want)
	}
	r, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(body), "nflog_up{group=\"100\"} 1\n") {
		t.Errorf("unexpected body: %v\n%s", err, body)
	}
}

func TestExporterMetrics(t *testing.T) {
	own := []string{"go_goroutines ", "process_start_time_seconds ", "promhttp_metric_handler_requests_total{", "promhttp_metric_handler_errors_total{"}
	always := []string{"nflog_up{", "nflog_exporter_build_info{"}

	for _, disabled := range []bool{false, true} {
		o := testWebOptions()
		o.DisableExporterMetrics = disabled
		body := request(t, testHandler(t, &fakeSource{}, o), "GET", "/metrics", nil).Body.String()

		for _, name := range slices.Concat(own, always) {
			want := !disabled || slices.Contains(always, name)
			if got := strings.Contains(body, "\n"+name); got != want {
				t.Errorf("disabled %v: metric %s: got %v, want %v", disabled, name, got, want)
			}
		}
	}
}

func TestGatherErrorIsLogged(t *testing.T) {
	s := &fakeSource{collect: func(ch chan<- prometheus.Metric) {
		ch <- prometheus.MustNewConstMetric(upDesc(), prometheus.GaugeValue, 1, "100")
		ch <- prometheus.NewInvalidMetric(upDesc(), io.ErrUnexpectedEOF)
	}}
	var out bytes.Buffer
	h, err := NewHandler(s, prometheus.NewRegistry(), Program{}, testWebOptions(), log.NewLogfmtLogger(&out))
	if err != nil {
		t.Fatal(err)
	}

	for range 3 {
		res := request(t, h, "GET", "/metrics", nil)
		body := res.Body.String()
		if res.Code != 200 || !strings.Contains(body, `nflog_up{group="100"} 1`) {
			t.Errorf("an error hid what could be gathered: status %d", res.Code)
		}
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=error") || !strings.Contains(got, "unexpected EOF") {
		t.Errorf("unexpected log:\n%s", got)
	}
}
