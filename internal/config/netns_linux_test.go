// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// A namespaceFolder has files in place of namespaces. They are old enough to be taken for some.
type namespaceFolder string

func (f namespaceFolder) add(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(string(f), name)
		if err := os.WriteFile(path, nil, 0o444); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-2 * mountGrace)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
}

func (f namespaceFolder) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(string(f), name)); err != nil {
		t.Fatal(err)
	}
}

// A watching is a NamespaceWatcher with what it has applied.
type watching struct {
	*NamespaceWatcher
	groups []collector.GroupConfig
	times  int
	log    strings.Builder
}

// newWatching returns a watcher for flags in which DIR stands for the folder.
func newWatching(t *testing.T, f namespaceFolder, flags ...string) *watching {
	t.Helper()
	var args []string
	for _, flag := range flags {
		args = append(args, strings.ReplaceAll(flag, "DIR", string(f)))
	}
	o, _, err := Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := o.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := &watching{groups: c.Groups}
	apply := func(groups []collector.GroupConfig) error {
		w.groups = groups
		w.times++
		return nil
	}
	if w.NamespaceWatcher, err = NewNamespaceWatcher(o, apply, prometheus.NewRegistry(), log.NewLogfmtLogger(&w.log)); err != nil {
		t.Fatal(err)
	}
	if (w.NamespaceWatcher != nil) != c.ChangingNetNS {
		t.Errorf("the collector expects changes: %v, watcher: %v", c.ChangingNetNS, w.NamespaceWatcher)
	}
	return w
}

// check compares the groups with the wanted ones.
func (w *watching) check(t *testing.T, f namespaceFolder, want ...string) {
	t.Helper()
	got := []string{}
	for _, g := range w.groups {
		got = append(got, strings.ReplaceAll(fmt.Sprintf("%d %s", g.Group, g.NetNS), string(f), "DIR"))
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("unexpected groups (-want +got):\n%s", diff)
	}
}

// TestNamespacePatterns has namespaces come and go.
func TestNamespacePatterns(t *testing.T) {
	f := namespaceFolder(t.TempDir())
	f.add(t, "cni-b", "cni-a", "other", "fixed")
	w := newWatching(t, f, "--nflog.netns=own", "--nflog.netns=DIR/fixed", "--nflog.netns=DIR/cni-*", "--nflog.netns=DIR/[cf]*", "--nflog.group=1", "--nflog.group=2")
	w.check(t, f, "1 ", "2 ", "1 DIR/fixed", "2 DIR/fixed", "1 DIR/cni-a", "2 DIR/cni-a", "1 DIR/cni-b", "2 DIR/cni-b")

	w.look()
	w.look()
	if w.times != 0 {
		t.Errorf("applied %d times without a change", w.times)
	}
	f.remove(t, "cni-a")
	f.add(t, "cni-A")
	if err := os.WriteFile(filepath.Join(string(f), "cni-new"), nil, 0o444); err != nil { // nothing is mounted there yet
		t.Fatal(err)
	}
	w.look()
	w.check(t, f, "1 ", "2 ", "1 DIR/fixed", "2 DIR/fixed", "1 DIR/cni-b", "2 DIR/cni-b", "1 DIR/cni-A", "2 DIR/cni-A")
	if w.times != 1 {
		t.Errorf("applied %d times, want 1", w.times)
	}
}

// TestNamespacePatternAlone has no namespace at first.
func TestNamespacePatternAlone(t *testing.T) {
	f := namespaceFolder(t.TempDir())
	w := newWatching(t, f, "--nflog.netns=DIR/*")
	w.check(t, f)
	f.add(t, "a")
	w.look()
	w.check(t, f, "100 DIR/a")
	f.remove(t, "a")
	w.look()
	w.check(t, f)
}

// TestNamespaceLimit has more namespaces than may be read. Those that are read stay.
func TestNamespaceLimit(t *testing.T) {
	f := namespaceFolder(t.TempDir())
	f.add(t, "m", "n")
	w := newWatching(t, f, "--nflog.netns=DIR/*", "--nflog.max-netns=2")
	steps := []struct {
		add, remove string
		want        []string
		unread      float64
	}{
		{want: []string{"100 DIR/m", "100 DIR/n"}},
		{add: "a", want: []string{"100 DIR/m", "100 DIR/n"}, unread: 1},
		{add: "b", want: []string{"100 DIR/m", "100 DIR/n"}, unread: 2},
		{remove: "m", want: []string{"100 DIR/n", "100 DIR/a"}, unread: 1},
		{remove: "b", want: []string{"100 DIR/n", "100 DIR/a"}},
		{add: "c", want: []string{"100 DIR/n", "100 DIR/a"}, unread: 1},
	}
	for i, step := range steps {
		if step.add != "" {
			f.add(t, step.add)
		}
		if step.remove != "" {
			f.remove(t, step.remove)
		}
		w.look()
		w.check(t, f, step.want...)
		if got := testutil.ToFloat64(w.excess); got != step.unread {
			t.Errorf("step %d: %v namespaces unread, want %v", i, got, step.unread)
		}
	}
	if got := strings.Count(w.log.String(), "More network namespaces match than are read"); got != 2 {
		t.Errorf("%d warnings, want 2:\n%s", got, w.log.String())
	}
}

// TestNamespaceOnce has the exporter's own namespace among those that match.
func TestNamespaceOnce(t *testing.T) {
	f := namespaceFolder(t.TempDir())
	for _, name := range []string{"a", "b"} {
		if err := os.Symlink("/proc/self/ns/net", filepath.Join(string(f), name)); err != nil {
			t.Fatal(err)
		}
	}
	newWatching(t, f, "--nflog.netns=own", "--nflog.netns=DIR/*").check(t, f, "100 ")
	newWatching(t, f, "--nflog.netns=DIR/*").check(t, f, "100 DIR/a")
}

// TestNamespacePath checks what names stand for.
func TestNamespacePath(t *testing.T) {
	for netns, want := range map[string]string{
		"blue": "/run/netns/blue", "cni-*": "/run/netns/cni-*", "/run/netns/blue": "/run/netns/blue",
		"/var/run/netns//blue": "/run/netns/blue", "/proc/1/ns/net": "/proc/1/ns/net", "": "/proc/self/ns/net",
	} {
		if got := namespacePath(netns); got != want {
			t.Errorf("%q is %q, want %q", netns, got, want)
		}
	}
}
