// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A fakeCollector remembers the last configuration.
type fakeCollector struct {
	err error // for the next one

	groups []collector.GroupConfig
	rules  []prefix.Rule
	times  atomic.Int32
	busy   atomic.Bool
}

var errTwoAtATime = errors.New("two at a time")

func (f *fakeCollector) Reload(groups []collector.GroupConfig, rules []prefix.Rule, _ []network.Network) error {
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

// A reloading is a Reloader with all that it needs.
type reloading struct {
	*Reloader
	path      string
	collector fakeCollector
	registry  *prometheus.Registry
	log       bytes.Buffer // not for concurrent reloads
}

// newReloading returns a reloader of a good file.
func newReloading(t *testing.T, args ...string) *reloading {
	t.Helper()
	r := &reloading{path: configFile(t, goodConfig), registry: prometheus.NewRegistry()}
	o, _, err := Parse(append(args, "--config.file="+r.path), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Load(); err != nil {
		t.Fatal(err)
	}
	if r.Reloader, err = NewReloader(o, r.collector.Reload, r.registry, log.NewLogfmtLogger(log.NewSyncWriter(&r.log))); err != nil {
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
		if f.GetType() != dto.MetricType_GAUGE {
			t.Errorf("%s is no gauge", f.GetName())
		}
		values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	if len(values) != 2 {
		t.Fatalf("unexpected metrics: %v", values)
	}
	return values["nflog_exporter_config_last_reload_successful"] == 1,
		time.Unix(int64(values["nflog_exporter_config_last_reload_success_timestamp_seconds"]), 0)
}

// TestReload reloads good files and bad ones, one of which the collector refuses. After a bad one, the last one stays in
// force, and the error, the log and the metrics say so.
func TestReload(t *testing.T) {
	const bad = "groups: [{group: all}]\nrules: []\n"
	steps := []struct {
		name      string
		file      string
		refusal   error    // of the collector
		err       string   // empty for none
		log       []string // found in the lines
		times     int32    // so far that the collector was reloaded
		succeeded bool
	}{
		{name: "the same", file: goodConfig, log: []string{"level=info msg=\"Configuration file applied\" file=FILE"}, times: 1, succeeded: true},
		{
			name: "warning", file: "prefix_rules: [{match: '(?P<pod>a)'}]\n", times: 2, succeeded: true,
			log: []string{`level=warn msg="Configuration file: label \"pod\": is often set`, "line=1 column=24", "msg=\"Configuration file applied\""},
		},
		{
			name: "mistakes", file: bad, times: 2,
			err: "FILE:1:18: group=\"all\": must be a number from 0 to 65535\nFILE:2:1: \"rules\": must be one of groups, prefix_rules, networks",
			log: []string{"level=error msg=\"The configuration file can't be used. The last one stays in force.\"", "FILE:1:18:", "FILE:2:1:"},
		},
		{name: "refused", file: goodConfig, refusal: errors.New("too many labels"), err: "too many labels", log: []string{"level=error", "too many labels"}, times: 3},
		{
			name: "missing", times: 3,
			err: "--config.file=\"FILE\": must be a valid configuration file: open FILE: no such file or directory",
			log: []string{"level=error", "no such file or directory"},
		},
		{name: "good again", file: "groups: [{group: 7}]\n", times: 4, succeeded: true},
		{
			name: "empty", file: "# nothing\n", times: 4,
			err: "FILE:1:1: must not be empty where it was not before: write groups: [] if nothing is to be configured",
			log: []string{"level=error", "must not be empty"},
		},
		{name: "empty again", file: "\n", times: 4, err: "FILE:1:1: must not be empty where it was not before: write groups: [] if nothing is to be configured"},
		{name: "nothing on purpose", file: "groups: []\n", times: 5, succeeded: true},
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
			if step.succeeded {
				last = time.Now()
			}

			message := ""
			if err := r.Reload(); err != nil {
				message = strings.ReplaceAll(err.Error(), r.path, "FILE")
			}
			if diff := cmp.Diff(step.err, message); diff != "" {
				t.Errorf("%s: unexpected error (-want +got):\n%s", step.name, diff)
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

// TestReloadApplies checks what the collector gets: the groups of the file, or of the flags, in each namespace, and the
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
			if err := r.Reload(); err != nil {
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

// TestReloadFromEmpty begins with an empty file, which may stay so.
func TestReloadFromEmpty(t *testing.T) {
	path := configFile(t, "# to be filled\n")
	o, _, err := Parse([]string{"--config.file=" + path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Load(); err != nil {
		t.Fatal(err)
	}
	var c fakeCollector
	r, err := NewReloader(o, c.Reload, prometheus.NewRegistry(), log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"\n", goodConfig, "groups: []\n"} {
		writeConfigFile(t, path, text)
		if err := r.Reload(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestReloadConcurrently checks that concurrent reloads run one after another, and that each caller gets the result of one
// that began after its call.
func TestReloadConcurrently(t *testing.T) {
	const callers = 100
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		apply := r.apply
		r.apply = func(groups []collector.GroupConfig, rules []prefix.Rule, networks []network.Network) error {
			time.Sleep(time.Minute)
			return apply(groups, rules, networks)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := r.Reload(); err != nil {
				t.Errorf("first: %v", err)
			}
		})
		time.Sleep(time.Second)
		writeConfigFile(t, r.path, "groups: 1\n")
		for range callers {
			wg.Go(func() {
				if err := r.ReloadForClient(); err == nil {
					t.Error("got the result of the reload before")
				}
			})
		}
		wg.Wait()
		if got := r.collector.times.Load(); got != 1 {
			t.Errorf("reloaded %d times, want 1", got)
		}
		if got := strings.Count(r.log.String(), "can't be used"); got != 1 {
			t.Errorf("%d errors in the log, want 1:\n%s", got, r.log.String())
		}
	})
}

// TestReloadForClientLogs checks that the same result of the same file is logged once in 10 seconds for clients, and always
// for signals.
func TestReloadForClientLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		lines := func() int { return strings.Count(r.log.String(), "\n") }
		repeat := func(name string, want int) {
			t.Helper()
			before := lines()
			for range 100 {
				_ = r.ReloadForClient()
			}
			if got := lines() - before; got != want {
				t.Errorf("%s: %d lines, want %d:\n%s", name, got, want, r.log.String())
			}
		}
		repeat("good", 1)
		repeat("the same", 0)
		writeConfigFile(t, r.path, "groups: [{group: 7}]\nprefix_rules: [{match: '(?P<pod>a)'}]\n")
		repeat("another, with a warning", 2)
		writeConfigFile(t, r.path, "groups: 7\n")
		repeat("bad", 1)
		writeConfigFile(t, r.path, goodConfig)
		repeat("good again", 1)
		if err := os.Remove(r.path); err != nil {
			t.Fatal(err)
		}
		repeat("missing", 1)
		time.Sleep(repeatInterval)
		repeat("still missing", 1)
		before := lines()
		for range 3 {
			_ = r.Reload()
		}
		if got := lines() - before; got != 3 {
			t.Errorf("signals: %d lines, want 3", got)
		}
		repeat("after signals", 0)
	})
}

// TestReloadHangs has a file that can't be read for an hour.
func TestReloadHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		var hang atomic.Bool
		hang.Store(true)
		r.options.reader.read = func(path string, most int64) ([]byte, error) {
			if hang.Load() {
				time.Sleep(time.Hour)
			}
			return readRegular(path, most)
		}
		start := time.Now()
		for range 3 {
			if err := r.Reload(); !strings.Contains(err.Error(), "the file system") {
				t.Errorf("unexpected error: %v", err)
			}
		}
		if got := time.Since(start); got != readTimeout {
			t.Errorf("three reloads took %v, want %v", got, readTimeout)
		}
		if successful, at := r.metrics(t); successful || !at.Equal(start) {
			t.Errorf("successful %v at %v", successful, at)
		}
		if got := r.collector.times.Load(); got != 0 {
			t.Errorf("reloaded %d times", got)
		}
		hang.Store(false)
		time.Sleep(time.Hour)
		if err := r.Reload(); err != nil {
			t.Error(err)
		}
	})
}
