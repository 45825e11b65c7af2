// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
)

// A recorder is a logger that remembers what it was told.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Log(keyvals ...any) error {
	var b strings.Builder
	if err := log.NewLogfmtLogger(&b).Log(keyvals...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, b.String())
	return nil
}

// with returns the lines that hold all of the words.
func (r *recorder) with(words ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, line := range r.lines {
		if !containsAll(line, words) {
			continue
		}
		found = append(found, line)
	}
	return found
}

func containsAll(s string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(s, word) {
			return false
		}
	}
	return true
}

// samples returns the values of counters and gauges, such as nflog_up{group="100"}.
func samples(t *testing.T, c *Collector) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	for name, metrics := range gather(t, c) {
		for _, m := range metrics {
			var labels []string
			for _, pair := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue()))
			}
			key := name + "{" + strings.Join(labels, ",") + "}"
			switch {
			case m.Counter != nil:
				values[key] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				values[key] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

// TestGroupRetries has a group whose network namespace is not there.
func TestGroupRetries(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	const failures = `nflog_bind_failures_total{group="100",reason="namespace"}`
	synctest.Test(t, func(t *testing.T) {
		var logs recorder
		c, err := New(Config{Groups: []GroupConfig{{Group: 100, NetNS: missing}}, Logger: &logs})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(ctx)
		}()

		check := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := samples(t, c)[failures]; got != float64(want) {
				t.Errorf("%v failures after %v, want %d", got, time.Since(start), want)
			}
		}
		check(1)
		for i, wait := range []time.Duration{1, 1, 1, 1} { // seconds: it may come any moment
			time.Sleep(wait*time.Second - time.Nanosecond)
			check(i + 1)
			time.Sleep(time.Nanosecond)
			check(i + 2)
		}

		state := c.Groups()[0]
		if !strings.Contains(state.Reason, missing) {
			t.Errorf("the reason does not name the path: %q", state.Reason)
		}
		state.Reason = ""
		want := GroupState{Group: 100, NetNS: missing, Tried: true, Since: start}
		if diff := cmp.Diff(want, state); diff != "" {
			t.Errorf("unexpected state (-want +got):\n%s", diff)
		}
		if lines := logs.with("level=error"); len(lines) != 1 || !strings.Contains(lines[0], missing) {
			t.Errorf("the log does not name the path in one error: %q", lines)
		}
		if got := samples(t, c)[`nflog_up{group="100"}`]; got != 0 {
			t.Errorf("nflog_up is %v", got)
		}

		// The end does not wait for the next try.
		before := time.Now()
		cancel()
		<-done
		if d := time.Since(before); d != 0 {
			t.Errorf("to stop took %v", d)
		}
	})
}
