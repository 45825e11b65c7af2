// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
)

// fakeReader is a reader whose states and metrics a test controls.
type fakeReader struct {
	groups  []collector.GroupState
	collect func(ch chan<- prometheus.Metric) // nil: nflog_up alone
}

func upDesc() *prometheus.Desc {
	return prometheus.NewDesc("nflog_up", "Whether the group is bound.", []string{"group"}, nil)
}

// Gather implements prometheus.TransactionalGatherer.
func (r *fakeReader) Gather() ([]*dto.MetricFamily, func(), error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	return prometheus.ToTransactionalGatherer(registry).Gather()
}

func (r *fakeReader) Describe(ch chan<- *prometheus.Desc) { ch <- upDesc() }

func (r *fakeReader) Collect(ch chan<- prometheus.Metric) {
	if r.collect != nil {
		r.collect(ch)
		return
	}
	ch <- prometheus.MustNewConstMetric(upDesc(), prometheus.GaugeValue, 1, "100")
}

func (r *fakeReader) Groups() []collector.GroupState { return r.groups }

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

func testHandler(t *testing.T, r Reader, o config.Web) http.Handler {
	t.Helper()

	h, err := NewHandler(r, prometheus.NewRegistry(), func() error { return nil }, o, log.NewNopLogger())
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
		{name: "landing page", method: "GET", path: "/", status: 200, body: `<a href="/metrics">`},
		{name: "landing page by DELETE", method: "DELETE", path: "/", status: 405},
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
			r := &fakeReader{groups: []collector.GroupState{{Group: 100, Tried: true, Bound: true}}}
			o := testWebOptions()
			if tt.telemetryPath != "" {
				o.TelemetryPath = tt.telemetryPath
			}
			res := request(t, testHandler(t, r, o), tt.method, tt.path, nil)
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

func TestReady(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	bound := collector.GroupState{Group: 100, Tried: true, Bound: true, Since: since}
	held := collector.GroupState{Group: 7, Tried: true, Reason: "held by another socket\n(ulogd, 42)", Since: since}
	fresh := collector.GroupState{Group: 0}

	tests := []struct {
		name   string
		groups []collector.GroupState
		status int
		body   string
	}{
		{
			name:   "bound",
			groups: []collector.GroupState{bound},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\n",
		},
		{
			name:   "not bound",
			groups: []collector.GroupState{bound, held},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\ngroup 7: not bound: held by another socket (ulogd, 42)\n",
		},
		{
			name:   "one not tried",
			groups: []collector.GroupState{bound, fresh},
			status: 503,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\ngroup 0: not tried yet\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testHandler(t, &fakeReader{groups: tt.groups}, testWebOptions())
			res := request(t, h, "GET", "/-/ready", nil)
			body := res.Body.String()
			if got, want := res.Code, tt.status; got != want {
				t.Errorf("unexpected status: got %d, want %d", got, want)
			}
			if diff := cmp.Diff(tt.body, body); diff != "" {
				t.Errorf("unexpected body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLandingPageFollowsState(t *testing.T) {
	r := &fakeReader{groups: []collector.GroupState{{Group: 100}}}
	h := testHandler(t, r, testWebOptions())

	res := request(t, h, "GET", "/", nil)
	body := res.Body.String()
	if got, want := res.Header().Get("Content-Type"), "text/html; charset=UTF-8"; got != want {
		t.Errorf("unexpected content type: got %q, want %q", got, want)
	}
	for _, want := range []string{
		"<h1>nflog_exporter</h1>", `<a href="/metrics">`, `<a href="/-/healthy">`, `<a href="/-/ready">`,
		"<li>group 100: not tried yet</li>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the page:\n%s", want, body)
		}
	}
	if strings.Contains(body, "debug/pprof") {
		t.Error("page offers profiles, which are not served")
	}

	r.groups = []collector.GroupState{{Group: 100, Tried: true, Reason: `held by "<script>"`}}
	body = request(t, h, "GET", "/", nil).Body.String()
	if want := "<li>group 100: not bound: held by &#34;&lt;script&gt;&#34;</li>"; !strings.Contains(body, want) {
		t.Errorf("no %q on the page:\n%s", want, body)
	}
}

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
			h := testHandler(t, &fakeReader{}, testWebOptions())
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

func TestExporterMetrics(t *testing.T) {
	own := []string{"go_goroutines ", "process_start_time_seconds ", "promhttp_metric_handler_requests_total{", "promhttp_metric_handler_errors_total{"}
	always := []string{"nflog_up{", "nflog_exporter_build_info{"}

	for _, disabled := range []bool{false, true} {
		o := testWebOptions()
		o.DisableExporterMetrics = disabled
		body := request(t, testHandler(t, &fakeReader{}, o), "GET", "/metrics", nil).Body.String()

		for _, name := range slices.Concat(own, always) {
			want := !disabled || slices.Contains(always, name)
			if got := strings.Contains(body, "\n"+name); got != want {
				t.Errorf("disabled %v: metric %s: got %v, want %v", disabled, name, got, want)
			}
		}
	}
}

func TestMaxRequests(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	r := &fakeReader{collect: func(chan<- prometheus.Metric) {
		entered <- struct{}{}
		<-proceed
	}}
	o := testWebOptions()
	o.MaxRequests = 1
	h := testHandler(t, r, o)

	first := make(chan int)
	go func() {
		first <- request(t, h, "GET", "/metrics", nil).Code
	}()
	<-entered
	res := request(t, h, "GET", "/metrics", nil)
	if got, want := res.Code, 503; got != want {
		t.Errorf("unexpected status beyond the limit: got %d, want %d", got, want)
	}
	close(proceed)
	if got, want := <-first, 200; got != want {
		t.Errorf("unexpected status within the limit: got %d, want %d", got, want)
	}
}

func TestGatherErrorIsLogged(t *testing.T) {
	r := &fakeReader{collect: func(ch chan<- prometheus.Metric) {
		ch <- prometheus.MustNewConstMetric(upDesc(), prometheus.GaugeValue, 1, "100")
		ch <- prometheus.NewInvalidMetric(upDesc(), io.ErrUnexpectedEOF)
	}}
	var out bytes.Buffer
	h, err := NewHandler(r, prometheus.NewRegistry(), nil, testWebOptions(), log.NewLogfmtLogger(&out))
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

// TestReloadHandler checks that POST, and no other method, reloads where that is enabled, and that the answer says what
// came of it.
func TestReloadHandler(t *testing.T) {
	times := 0
	var failure error
	reload := func() error {
		times++
		return failure
	}
	o := testWebOptions()
	o.EnableLifecycle = true
	own := prometheus.NewRegistry()
	own.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "own_metric", Help: "Of the exporter itself."}))
	h, err := NewHandler(&fakeReader{}, own, reload, o, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	for method, status := range map[string]int{"POST": 200, "GET": 405, "HEAD": 405, "PUT": 405, "DELETE": 405} {
		before := times
		res := request(t, h, method, "/-/reload", nil)
		if res.Code != status {
			t.Errorf("%s: unexpected status: got %d, want %d", method, res.Code, status)
		}
		if status == 405 && res.Header().Get("Allow") != "POST" {
			t.Errorf("%s: allowed is %q", method, res.Header().Get("Allow"))
		}
		if reloaded := times > before; reloaded != (status == 200) {
			t.Errorf("%s: reloaded %v", method, reloaded)
		}
	}
	if body := request(t, h, "GET", "/metrics", nil).Body.String(); !strings.Contains(body, "\n# TYPE own_metric gauge\nown_metric 0\n") {
		t.Errorf("the registry's metric is missing:\n%s", body)
	}

	for _, tt := range []struct {
		err    error
		status int
		body   string
	}{
		{status: 200, body: "ok\n"},
		{err: errors.New("line 1\nline 2"), status: 500, body: "line 1\nline 2\n"},
	} {
		failure = tt.err
		res := request(t, h, "POST", "/-/reload", nil)
		if res.Code != tt.status || res.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%v: answered with status %d, %q", tt.err, res.Code, res.Header().Get("Content-Type"))
		}
		if diff := cmp.Diff(tt.body, res.Body.String()); diff != "" {
			t.Errorf("%v: unexpected answer (-want +got):\n%s", tt.err, diff)
		}
	}
}

// TestReloadHandlerWithoutFile checks that there is nothing to reload without a file.
func TestReloadHandlerWithoutFile(t *testing.T) {
	o := testWebOptions()
	o.EnableLifecycle = true
	h, err := NewHandler(&fakeReader{}, prometheus.NewRegistry(), nil, o, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	if res := request(t, h, "POST", "/-/reload", nil); res.Code != http.StatusNotFound {
		t.Errorf("unexpected status: got %d, want 404", res.Code)
	}
}
