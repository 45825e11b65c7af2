// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

func TestReady(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	bound := collector.GroupState{Group: 100, Tried: true, Bound: true, Since: since}
	held := collector.GroupState{Group: 7, Tried: true, Reason: "held by another socket\n(ulogd, 42)", Since: since}
	fresh := collector.GroupState{Group: 0}
	counting, losing := bound, bound
	counting.Packets = 1
	losing.Packets, losing.Lost = 40001, 39978

	tests := []struct {
		name   string
		groups []collector.GroupState
		status int
		body   string
	}{
		{
			name:   "bound",
			groups: []collector.GroupState{counting},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\n",
		},
		{
			name:   "no packet",
			groups: []collector.GroupState{bound},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z, no packet yet\n",
		},
		{
			name:   "packets lost",
			groups: []collector.GroupState{losing},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z, lost 39,978 packets\n",
		},
		{
			name:   "not bound",
			groups: []collector.GroupState{counting, held},
			status: 200,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\ngroup 7: not bound: held by another socket (ulogd, 42)\n",
		},
		{
			name:   "one not tried",
			groups: []collector.GroupState{counting, fresh},
			status: 503,
			body:   "group 100: bound since 2026-02-03T03:05:06Z\ngroup 0: not tried yet\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testHandler(t, &fakeSource{groups: tt.groups}, testWebOptions())
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

// TestHealthyNot checks the answer of an exporter that can't do its work.
func TestHealthyNot(t *testing.T) {
	s := &fakeSource{sick: errors.New("group 100 is not read\nnor 101")}
	res := request(t, testHandler(t, s, testWebOptions()), "GET", "/-/healthy", nil)
	if body, want := res.Body.String(), "group 100 is not read nor 101\n"; res.Code != 503 || body != want {
		t.Errorf("unexpected answer: got %d %q, want 503 %q", res.Code, body, want)
	}
}

// TestReloadHandler checks that only POST reloads, and that the answer has the result.
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
	h, err := NewHandler(&fakeSource{}, own, Program{Reload: reload}, o, log.NewNopLogger())
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

// TestReloadHandlerWithoutFile checks that nothing can be reloaded without a file.
func TestReloadHandlerWithoutFile(t *testing.T) {
	o := testWebOptions()
	o.EnableLifecycle = true
	h, err := NewHandler(&fakeSource{}, prometheus.NewRegistry(), Program{}, o, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	if res := request(t, h, "POST", "/-/reload", nil); res.Code != http.StatusNotFound {
		t.Errorf("unexpected status: got %d, want 404", res.Code)
	}
}
