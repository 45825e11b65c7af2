// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// watch watches the file until the end of the test.
func (r *reloading) watch(t *testing.T, interval time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Watch(ctx, interval)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// alone calls f while no reload runs.
func (r *reloading) alone(f func()) {
	r.running <- struct{}{}
	defer func() { <-r.running }()
	f()
}

// TestWatch changes the file, and checks that each change is applied, or reported, once.
func TestWatch(t *testing.T) {
	const interval = 10 * time.Second
	steps := []struct {
		name   string
		change func(r *reloading) error
		times  int32 // so far that the collector was reloaded
		lines  int   // in the log
		bad    bool
	}{
		{name: "nothing", change: func(*reloading) error { return nil }},
		{name: "the same contents", change: writes(goodConfig)},
		{name: "other contents", change: writes("groups: [{group: 7}]\n"), times: 1, lines: 1},
		{name: "mistake", change: writes("groups: 7\n"), times: 1, lines: 1, bad: true},
		{name: "missing", change: func(r *reloading) error { return os.Remove(r.path) }, times: 1, lines: 1, bad: true},
		{name: "as before the mistake", change: writes("groups: [{group: 7}]\n"), times: 2, lines: 1},
		{name: "refused by the collector", change: func(r *reloading) error {
			r.alone(func() { r.collector.err = errors.New("too many labels") })
			return writes(goodConfig)(r)
		}, times: 3, lines: 1, bad: true},
		{name: "applied by a signal", change: func(r *reloading) error {
			r.alone(func() { r.collector.err = nil })
			err := writes("groups: [{group: 8}]\n")(r)
			return errors.Join(err, r.Reload())
		}, times: 4, lines: 1},
	}
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		r.watch(t, interval)
		for _, step := range steps {
			time.Sleep(interval / 2)
			r.alone(r.log.Reset)
			if err := step.change(r); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			time.Sleep(interval)
			synctest.Wait()
			time.Sleep(10*interval + interval/2)
			synctest.Wait()
			if got := r.collector.times.Load(); got != step.times {
				t.Errorf("%s: the collector was reloaded %d times, want %d", step.name, got, step.times)
			}
			if got := strings.Count(r.log.String(), "\n"); got != step.lines {
				t.Errorf("%s: %d lines in the log, want %d:\n%s", step.name, got, step.lines, r.log.String())
			}
			if successful, _ := r.metrics(t); successful == step.bad {
				t.Errorf("%s: successful %v", step.name, successful)
			}
		}
	})
}

// writes returns a change that writes the file.
func writes(text string) func(*reloading) error {
	return func(r *reloading) error { return os.WriteFile(r.path, []byte(text), 0o644) }
}

// TestWatchSinceLoad changes the file after it was loaded and before it is watched.
func TestWatchSinceLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		writeConfigFile(t, r.path, "groups: [{group: 7}]\n")
		r.watch(t, time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := r.collector.times.Load(); got != 1 {
			t.Errorf("reloaded %d times, want 1", got)
		}
	})
}

// TestWatchBesideReload checks that a look at the file delays a reload, but does not make it fail.
func TestWatchBesideReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		r.options.reader.read = func(path string, most int64) ([]byte, error) {
			time.Sleep(2 * time.Second)
			return readRegular(path, most)
		}
		r.watch(t, 10*time.Second)
		time.Sleep(11 * time.Second)
		if err := r.Reload(); err != nil {
			t.Error(err)
		}
	})
}

// TestWatchConfigMap replaces a symbolic link to a folder, as the kubelet does to update a mounted ConfigMap.
func TestWatchConfigMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		dir := t.TempDir()
		publish := func(version, text string) {
			t.Helper()
			err := errors.Join(
				os.Mkdir(filepath.Join(dir, version), 0o755),
				os.WriteFile(filepath.Join(dir, version, "nflog.yml"), []byte(text), 0o644),
				os.Symlink(version, filepath.Join(dir, "..data_tmp")),
				os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")),
			)
			if err != nil {
				t.Fatal(err)
			}
		}
		publish("..1", goodConfig)
		r.options.ConfigFile = filepath.Join(dir, "nflog.yml")
		if err := os.Symlink("..data/nflog.yml", r.options.ConfigFile); err != nil {
			t.Fatal(err)
		}
		var groups []uint16
		r.apply = func(configs []collector.GroupConfig, _ []prefix.Rule, _ []network.Network) error {
			for _, g := range configs {
				groups = append(groups, g.Group)
			}
			return nil
		}
		r.tried = make(fileStates)
		if _, err := r.options.readFile(r.tried); err != nil {
			t.Fatal(err)
		}
		r.watch(t, 10*time.Second)
		publish("..2", "groups: [{group: 42}]\n")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(groups) != 1 || groups[0] != 42 {
			t.Errorf("unexpected groups: %v", groups)
		}
	})
}

// TestWatchLists changes a file that the configuration file names.
func TestWatchLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		list := filepath.Join(filepath.Dir(r.path), "list.txt")
		write := func(path, text string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var cidrs []int
		r.apply = func(_ []collector.GroupConfig, _ []prefix.Rule, networks []network.Network) error {
			cidrs = append(cidrs, len(networks[0].CIDRs))
			return nil
		}
		r.watch(t, 10*time.Second)
		write(list, "192.0.2.0/24\n")
		write(r.path, "networks: [{name: office, cidrs_file: list.txt}]\n")
		time.Sleep(11 * time.Second)
		write(list, "192.0.2.0/24\n198.51.100.0/24\n")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if !slices.Equal(cidrs, []int{1, 2}) {
			t.Errorf("applied lists of %v CIDRs, want 1 and 2", cidrs)
		}
	})
}
