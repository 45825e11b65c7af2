// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// waitFor waits for a condition.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not so after 10s")
		}
	}
}

// fakeReloadable is a collector that remembers what it was told.
type fakeReloadable struct {
	err error // for the next one

	groups []collector.GroupConfig
	rules  []prefix.Rule
	times  atomic.Int32
	busy   atomic.Bool
}

var errTwoAtATime = errors.New("two at a time")

func (f *fakeReloadable) Reload(groups []collector.GroupConfig, rules []prefix.Rule) error {
	if f.busy.Swap(true) {
		return errTwoAtATime
	}
	defer f.busy.Store(false)
	f.times.Add(1)
	if f.err != nil {
		return f.err
	}
	f.groups, f.rules = groups, rules
	return nil
}

// reloading is a reloader with all that it needs.
type reloading struct {
	*reloader
	path      string
	collector fakeReloadable
	registry  *prometheus.Registry
	log       bytes.Buffer // not for concurrent reloads
}

// newReloading returns a reloader of a good file.
func newReloading(t *testing.T, args ...string) *reloading {
	t.Helper()
	r := &reloading{path: configFile(t, goodConfig), registry: prometheus.NewRegistry()}
	o, _, err := parseFlags(append(args, "--config.file="+r.path), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.reloader, err = newReloader(o, &r.collector, r.registry, log.NewLogfmtLogger(log.NewSyncWriter(&r.log))); err != nil {
		t.Fatal(err)
	}
	return r
}

// metrics returns the values of the two metrics.
func (r *reloading) metrics(t *testing.T) (successful bool, at time.Time) {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	if len(values) != 2 {
		t.Fatalf("unexpected metrics: %v", values)
	}
	return values["nflog_exporter_config_last_reload_successful"] == 1,
		time.Unix(int64(values["nflog_exporter_config_last_reload_success_timestamp_seconds"]), 0)
}

// TestReload reloads good files and bad ones, some of which the collector refuses. A bad one leaves the last one in force
// and says so in the answer, in the log and in the metrics.
func TestReload(t *testing.T) {
	const bad = "groups: [{group: all}]\nrules: []\n"
	steps := []struct {
		name      string
		file      string
		refusal   error // of the collector
		answer    string
		log       []string // found in the lines
		times     int32    // that the collector was reloaded so far
		succeeded bool
	}{
		{name: "the same", file: goodConfig, answer: "ok\n", log: []string{"level=info msg=\"Configuration file applied\" file=FILE"}, times: 1, succeeded: true},
		{
			name: "warning", file: "prefix_rules: [{match: '(?P<pod>a)'}]\n", answer: "ok\n", times: 2, succeeded: true,
			log: []string{`level=warn msg="Configuration file: label \"pod\": is often set`, "line=1 column=24", "msg=\"Configuration file applied\""},
		},
		{
			name: "mistakes", file: bad, times: 2,
			answer: "FILE:1:18: group=\"all\": must be a number from 0 to 65535\nFILE:2:1: \"rules\": must be one of groups, prefix_rules\n",
			log:    []string{"level=error msg=\"The configuration file can't be used. The last one stays in force.\"", "FILE:1:18:", "FILE:2:1:"},
		},
		{name: "refused", file: goodConfig, refusal: errors.New("too many labels"), answer: "too many labels\n", log: []string{"level=error", "too many labels"}, times: 3},
		{
			name: "missing", times: 3,
			answer: "--config.file=\"FILE\": must be a valid configuration file: open FILE: no such file or directory\n",
			log:    []string{"level=error", "no such file or directory"},
		},
		{name: "good again", file: "groups: [{group: 7}]\n", answer: "ok\n", times: 4, succeeded: true},
		{name: "empty", file: "# nothing\n", answer: "ok\n", times: 5, succeeded: true},
	}
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		last := time.Now()
		if successful, at := r.metrics(t); !successful || !at.Equal(last) {
			t.Errorf("at the start: successful %v, at %v", successful, at)
		}
		for _, step := range steps {
			time.Sleep(time.Minute)
			if step.file == "" {
				if err := os.Remove(r.path); err != nil {
					t.Fatal(err)
				}
			} else {
				writeConfigFile(t, r.path, step.file)
			}
			r.log.Reset()
			r.collector.err = step.refusal
			status := http.StatusInternalServerError
			if step.succeeded {
				status, last = http.StatusOK, time.Now()
			}

			res := request(t, r, "POST", "/-/reload", nil)
			if res.Code != status || res.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: answered with status %d, %q", step.name, res.Code, res.Header().Get("Content-Type"))
			}
			if diff := cmp.Diff(step.answer, strings.ReplaceAll(res.Body.String(), r.path, "FILE")); diff != "" {
				t.Errorf("%s: unexpected answer (-want +got):\n%s", step.name, diff)
			}
			logged := strings.ReplaceAll(r.log.String(), r.path, "FILE")
			for _, want := range step.log {
				if !strings.Contains(logged, want) {
					t.Errorf("%s: no %q in the log:\n%s", step.name, want, logged)
				}
			}
			if got := r.collector.times.Load(); got != step.times {
				t.Errorf("%s: the collector was reloaded %d times, want %d", step.name, got, step.times)
			}
			if successful, at := r.metrics(t); successful != step.succeeded || !at.Equal(last) {
				t.Errorf("%s: successful %v, last at %v, want %v and %v", step.name, successful, at, step.succeeded, last)
			}
		}
	})
}

// TestReloadApplies checks what the collector is told: the file's groups in each namespace, or those of the flags, and the
// rules.
func TestReloadApplies(t *testing.T) {
	r := newReloading(t, "--nflog.netns=own", "--nflog.netns=blue", "--nflog.copy-range=96")
	tests := []struct {
		name   string
		file   string
		groups []string // number, namespace and copy range
		rules  int
	}{
		{name: "groups of the file", file: goodConfig, groups: []string{"100//64", "101//96", "100/blue/64", "101/blue/96"}, rules: 2},
		{name: "groups of the flags", file: "prefix_rules: [{match: a}]\n", groups: []string{"100//96", "100/blue/96"}, rules: 1},
		{name: "another group", file: "groups: [{group: 7}]\n", groups: []string{"7//96", "7/blue/96"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			writeConfigFile(t, r.path, tt.file)
			if err := r.reload(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range r.collector.groups {
				got = append(got, fmt.Sprintf("%d/%s/%d", g.Group, g.NetNS, g.CopyRange))
			}
			if diff := cmp.Diff(tt.groups, got); diff != "" {
				t.Errorf("unexpected groups (-want +got):\n%s", diff)
			}
			if got := len(r.collector.rules); got != tt.rules {
				t.Errorf("%d rules, want %d", got, tt.rules)
			}
		})
	}
}

// TestReloadConcurrently checks that one reload is done at a time, and each of them.
func TestReloadConcurrently(t *testing.T) {
	const times = 50
	r := newReloading(t)
	signals := make(chan os.Signal)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.onSignal(signals)
	}()
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() {
			if res := request(t, r, "POST", "/-/reload", nil); res.Code != http.StatusOK {
				t.Errorf("unexpected answer: %s", res.Body)
			}
		})
		wg.Go(func() { signals <- syscall.SIGHUP })
	}
	wg.Wait()
	close(signals)
	<-stopped
	if got := r.collector.times.Load(); got != 2*times {
		t.Errorf("reloaded %d times, want %d", got, 2*times)
	}
	if successful, _ := r.metrics(t); !successful {
		t.Error("the last one failed")
	}
}

// TestReloadHandler checks that a reload can be asked for where that is enabled, by POST alone.
func TestReloadHandler(t *testing.T) {
	r := newReloading(t)
	o := testWebOptions()
	o.lifecycle = true
	h, err := newHandler(&fakeReader{}, r.registry, r, o, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	for method, status := range map[string]int{"POST": 200, "GET": 405, "HEAD": 405, "PUT": 405, "DELETE": 405} {
		before := r.collector.times.Load()
		res := request(t, h, method, "/-/reload", nil)
		if res.Code != status {
			t.Errorf("%s: unexpected status: got %d, want %d", method, res.Code, status)
		}
		if status == 405 && res.Header().Get("Allow") != "POST" {
			t.Errorf("%s: allowed is %q", method, res.Header().Get("Allow"))
		}
		if reloaded := r.collector.times.Load() > before; reloaded != (status == 200) {
			t.Errorf("%s: reloaded %v", method, reloaded)
		}
	}
	body := request(t, h, "GET", "/metrics", nil).Body.String()
	for _, want := range []string{
		"\n# TYPE nflog_exporter_config_last_reload_successful gauge\nnflog_exporter_config_last_reload_successful 1\n",
		"\n# TYPE nflog_exporter_config_last_reload_success_timestamp_seconds gauge\nnflog_exporter_config_last_reload_success_timestamp_seconds 1.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in:\n%s", want, body)
		}
	}
}

// TestReloadWithoutFile checks that there is nothing to reload, and no metric of it, without a file.
func TestReloadWithoutFile(t *testing.T) {
	o, _, err := parseFlags([]string{"--web.enable-lifecycle"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	reload, stop, err := setUpReload(o, &fakeReloadable{}, registry, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	h, err := newHandler(&fakeReader{}, registry, reload, o.web, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	if res := request(t, h, "POST", "/-/reload", nil); res.Code != http.StatusNotFound {
		t.Errorf("unexpected status: got %d, want 404", res.Code)
	}
	if body := request(t, h, "GET", "/metrics", nil).Body.String(); strings.Contains(body, "config_last_reload") {
		t.Error("there are metrics of a reload")
	}
}
