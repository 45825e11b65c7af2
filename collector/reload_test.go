// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestReloadGroups adds, removes and changes groups while the collector runs. None of them can be bound.
func TestReloadGroups(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	group := func(number uint16, copyRange uint32) GroupConfig {
		return GroupConfig{Group: number, NetNS: missing, CopyRange: copyRange}
	}
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config{Groups: []GroupConfig{group(1, 64), group(2, 64)}})
		failures := func(group int) float64 {
			return samples(t, c)[fmt.Sprintf(`nflog_bind_failures_total{group="%d",reason="namespace"}`, group)]
		}
		check := func(want ...uint16) {
			t.Helper()
			synctest.Wait()
			var got []uint16
			for _, state := range c.Groups() {
				got = append(got, state.Group)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected groups (-want +got):\n%s", diff)
			}
			for _, m := range gather(t, c)["nflog_up"] {
				if i := slices.IndexFunc(want, func(g uint16) bool { return fmt.Sprint(g) == m.GetLabel()[0].GetValue() }); i < 0 {
					t.Errorf("there are metrics of %v", m.GetLabel())
				}
			}
			if n := len(gather(t, c)["nflog_up"]); n != len(want) {
				t.Errorf("there are metrics of %d groups, want %d", n, len(want))
			}
		}

		mustReload(t, c, []GroupConfig{group(2, 64), group(3, 64)}) // before Run
		check(2, 3)
		stop := runCollector(t, c)
		check(2, 3)
		time.Sleep(10*time.Second - 1)
		check(2, 3)
		if failures(2) != 10 || failures(3) != 10 {
			t.Errorf("%v and %v failures, want 10 of each", failures(2), failures(3))
		}

		mustReload(t, c, []GroupConfig{group(4, 64), group(3, 64)})
		check(4, 3)
		if failures(3) != 10 || failures(4) != 1 {
			t.Errorf("%v failures of the group that stayed, %v of the new one, want 10 and 1", failures(3), failures(4))
		}
		mustReload(t, c, []GroupConfig{group(2, 64), group(3, 32)}) // one added again, one changed
		time.Sleep(10*time.Second - 1)
		check(2, 3)
		if failures(2) != 10 || failures(3) != 20 {
			t.Errorf("%v failures of the group that was added again, %v of the one that changed, want 10 and 20", failures(2), failures(3))
		}
		if got := c.groups[1].config; got != group(3, 32) {
			t.Errorf("the settings are %+v", got)
		}

		stop()
		mustReload(t, c, []GroupConfig{group(5, 64)}) // is exposed, but not read
		check(5)
		if failures(5) != 0 {
			t.Error("a group is read that was added after Run")
		}
	})
}

// TestReloadGroupAddedAgain checks that the counters of a group start over when it is removed and added again.
func TestReloadGroupAddedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := GroupConfig{Group: 1}, GroupConfig{Group: 2}
		c := mustNew(t, Config{Groups: []GroupConfig{first, second}})
		began := time.Now()
		for range 2 {
			time.Sleep(time.Second)
			mustReload(t, c, []GroupConfig{first})
			mustReload(t, c, []GroupConfig{first, second})
		}
		for i, want := range []time.Time{began, time.Now()} {
			m := gather(t, c)["nflog_datagrams_total"][i]
			if got := m.GetCounter().GetCreatedTimestamp().AsTime(); !got.Equal(want) {
				t.Errorf("the counter of %v was created at %v, want %v", m.GetLabel(), got, want)
			}
		}
	})
}

// TestReloadWarnsOfRules checks that prefix rules are logged as without effect if the label prefix is not selected.
func TestReloadWarnsOfRules(t *testing.T) {
	for _, label := range []string{"prefix", "hook"} {
		var logs logRecorder
		f := newFeed(t, Config{Labels: []string{label}, Logger: &logs})
		f.reload(t)
		f.reload(t, prefix.Rule{Match: "a"})
		want := 0
		if label != "prefix" {
			want = 1
		}
		if lines := logs.with("level=warn", "prefix rules have no effect"); len(lines) != want {
			t.Errorf("with the label %s, the log warns %d times, want %d", label, len(lines), want)
		}
	}
}

// TestReloadErrors checks that nothing changes if Reload returns an error.
func TestReloadErrors(t *testing.T) {
	zones := []prefix.Rule{{Match: `(?P<zone>\w+)`}}
	tests := []struct {
		name   string
		groups []GroupConfig
		rules  []prefix.Rule
		want   string
	}{
		{name: "no group", rules: zones, want: "no NFLOG group to read"},
		{name: "a group twice", groups: []GroupConfig{{Group: 7}, {Group: 100}, {Group: 7}}, rules: zones, want: "NFLOG group 7 is named twice"},
		{
			name:   "a group twice in a namespace",
			groups: []GroupConfig{{Group: 7, NetNS: "blue"}, {Group: 7}, {Group: 7, NetNS: "blue", CopyRange: 64}},
			want:   "NFLOG group 7 is named twice",
		},
		{
			name:   "bad rule",
			groups: []GroupConfig{{Group: 7}},
			rules:  append(zones, prefix.Rule{Match: "("}),
			want:   `prefix rule 2: match="(": must be a regular expression in RE2's syntax: missing closing ): "("`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFeed(t, Config{})
			f.count(udpInput("a", 2, 100))
			before, groups := gather(t, f.collector), f.collector.Groups()
			err := f.collector.Reload(tt.groups, tt.rules, nil)
			if err == nil || err.Error() != tt.want {
				t.Errorf("unexpected error: got %v, want %s", err, tt.want)
			}
			if diff := cmp.Diff(before, gather(t, f.collector), protocmp.Transform()); diff != "" {
				t.Errorf("metrics have changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(groups, f.collector.Groups()); diff != "" {
				t.Errorf("groups have changed (-before +after):\n%s", diff)
			}
		})
	}
}
