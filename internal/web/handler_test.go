// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
)

// A fakeSource has states and metrics that a test controls.
type fakeSource struct {
	groups  []collector.GroupState
	collect func(ch chan<- prometheus.Metric) // nil: nflog_up alone
	sick    error
	top     []collector.GroupSources
	status  *collector.Status // nil: of groups
	asked   func()            // called for each status, unless nil
}

func upDesc() *prometheus.Desc {
	return prometheus.NewDesc("nflog_up", "Whether the group is bound.", []string{"group"}, nil)
}

// Gather implements prometheus.TransactionalGatherer.
func (s *fakeSource) Gather() ([]*dto.MetricFamily, func(), error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s)
	return prometheus.ToTransactionalGatherer(registry).Gather()
}

// GatherPieces implements Source.
func (s *fakeSource) GatherPieces() (pieces exposition.Pieces, done func(), err error) {
	families, done, err := s.Gather()
	return slices.Values(families), done, err
}

func (s *fakeSource) Describe(ch chan<- *prometheus.Desc) { ch <- upDesc() }

func (s *fakeSource) Collect(ch chan<- prometheus.Metric) {
	if s.collect != nil {
		s.collect(ch)
		return
	}
	ch <- prometheus.MustNewConstMetric(upDesc(), prometheus.GaugeValue, 1, "100")
}

func (s *fakeSource) Groups() []collector.GroupState { return s.groups }

func (s *fakeSource) Status() collector.Status {
	if s.asked != nil {
		s.asked()
	}
	if s.status != nil {
		return *s.status
	}
	c := collector.Status{Time: time.Now(), ByPrefix: true}
	for _, g := range s.groups {
		c.Groups = append(c.Groups, collector.GroupStatus{GroupState: g, LabelSetsLimit: 2000})
	}
	return c
}

func (s *fakeSource) Healthy() error { return s.sick }

func (s *fakeSource) TopSources() ([]collector.GroupSources, bool) { return s.top, s.top != nil }

func testWebOptions() config.Web {
	return config.Web{
		Toolkit: &toolkit.FlagConfig{
			WebListenAddresses: new([]string),
			WebSystemdSocket:   new(bool),
			WebConfigFile:      new(string),
		},
		TelemetryPath: "/metrics",
		MaxRequests:   40,
	}
}

func testHandler(t *testing.T, s Source, o config.Web) http.Handler {
	t.Helper()

	h, err := NewHandler(s, prometheus.NewRegistry(), Program{Reload: func() error { return nil }}, o, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// request returns the answer to a request without a body.
func request(t *testing.T, h http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()

	req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if header != nil {
		req.Header = header
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func TestHandlerStatus(t *testing.T) {
	tests := []struct {
		name          string
		telemetryPath string
		method, path  string
		status        int
		body          string // found in the body
	}{
		{name: "healthy", method: "GET", path: "/-/healthy", status: 200, body: "ok\n"},
		{name: "healthy by HEAD", method: "HEAD", path: "/-/healthy", status: 200},
		{name: "healthy by POST", method: "POST", path: "/-/healthy", status: 405},
		{name: "ready", method: "GET", path: "/-/ready", status: 200, body: "group 100: bound since"},
		{name: "ready by PUT", method: "PUT", path: "/-/ready", status: 405},
		{name: "metrics", method: "GET", path: "/metrics", status: 200, body: `nflog_up{group="100"} 1`},
		{name: "metrics by HEAD", method: "HEAD", path: "/metrics", status: 200},
		{name: "metrics by POST", method: "POST", path: "/metrics", status: 405},
		{name: "metrics with slash", method: "GET", path: "/metrics/", status: 404},
		{name: "page", method: "GET", path: "/", status: 200, body: `<a href="/metrics">`},
		{name: "page by DELETE", method: "DELETE", path: "/", status: 405},
		{name: "status", method: "GET", path: "/status.json", status: 200, body: "\"verdict\":{"},
		{name: "status by POST", method: "POST", path: "/status.json", status: 405},
		{name: "status with metrics at the root", telemetryPath: "/", method: "GET", path: "/status.json", status: 200, body: "\"verdict\""},
		{name: "unknown", method: "GET", path: "/debug/pprof/", status: 404},
		{name: "unknown by POST", method: "POST", path: "/-/start", status: 404},
		{name: "reload where that is not enabled", method: "POST", path: "/-/reload", status: 404},
		{name: "reload by GET where that is not enabled", method: "GET", path: "/-/reload", status: 404},
		{name: "other telemetry path", telemetryPath: "/a/m", method: "GET", path: "/a/m", status: 200, body: "nflog_up"},
		{name: "link to other telemetry path", telemetryPath: "/a/m", method: "GET", path: "/", status: 200, body: `<a href="/a/m">`},
		{name: "usual path beside it", telemetryPath: "/a/m", method: "GET", path: "/metrics", status: 404},
		{name: "telemetry path with slash", telemetryPath: "/m/", method: "GET", path: "/m/", status: 200, body: "nflog_up"},
		{name: "below telemetry path", telemetryPath: "/m/", method: "GET", path: "/m/x", status: 404},
		{name: "metrics at the root", telemetryPath: "/", method: "GET", path: "/", status: 200, body: "nflog_up"},
		{name: "unknown below metrics at the root", telemetryPath: "/", method: "GET", path: "/metrics", status: 404},
		{name: "healthy below metrics at the root", telemetryPath: "/", method: "GET", path: "/-/healthy", status: 200, body: "ok\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakeSource{groups: []collector.GroupState{{Group: 100, Tried: true, Bound: true}}}
			o := testWebOptions()
			if tt.telemetryPath != "" {
				o.TelemetryPath = tt.telemetryPath
			}
			res := request(t, testHandler(t, s, o), tt.method, tt.path, nil)
			body := res.Body.String()
			if got, want := res.Code, tt.status; got != want {
				t.Errorf("unexpected status: got %d, want %d", got, want)
			}
			if !strings.Contains(body, tt.body) {
				t.Errorf("no %q in body:\n%s", tt.body, body)
			}
		})
	}
}
