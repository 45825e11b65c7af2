// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGroupRetries checks how often a collector tries to bind a group whose network namespace does not exist.
func TestGroupRetries(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	const failures = `nflog_bind_failures_total{group="100",reason="namespace"}`
	synctest.Test(t, func(t *testing.T) {
		var logs logRecorder
		c := mustNew(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: missing}}, Logger: &logs})
		start := time.Now()
		stop := runCollector(t, c)

		check := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := samples(t, c)[failures]; got != float64(want) {
				t.Errorf("%v failures after %v, want %d", got, time.Since(start), want)
			}
		}
		check(1)
		for i := range 4 { // one attempt a second, without a longer wait: the namespace may appear any moment
			time.Sleep(time.Second - time.Nanosecond)
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

		// Run ends at once, not with the next attempt.
		before := time.Now()
		stop()
		if d := time.Since(before); d != 0 {
			t.Errorf("Run took %v to end", d)
		}
	})
}
