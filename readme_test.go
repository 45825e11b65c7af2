// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadmeFlags compares the README's table of flags with those that there are.
func TestReadmeFlags(t *testing.T) {
	got := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `--(?:\\[no-\\])?([a-z.-]+)` \\| (?:`([^`]*)` |([a-z ]*) |)\\|")
	for _, m := range row.FindAllStringSubmatch(readme(t), -1) {
		got[m[1]] = m[2]
		if m[3] == "on" {
			got[m[1]] = "true"
		}
	}

	app, _ := newApp()
	want := make(map[string]string)
	for _, flag := range app.Model().Flags {
		if flag.Hidden {
			continue
		}
		want[flag.Name] = ""
		if len(flag.Default) == 1 {
			want[flag.Name] = flag.Default[0]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected flags and defaults in README.md (-want +got):\n%s", diff)
	}
}

// TestReadmeConfigFile checks that the README's configuration file can be used, and is nothing to warn of.
func TestReadmeConfigFile(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```yaml\n(groups:.*?\n)```\n")
	files := block.FindAllStringSubmatch(readme(t), -1)
	if len(files) == 0 {
		t.Error("README.md has no configuration file")
	}
	for _, m := range files {
		_, warnings, err := parseConfigFile("README.md", []byte(m[1]), testDefaults, false)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s%v %v", m[1], err, warnings)
		}
	}
}

// TestReadmeReloadMetrics compares the README's table of metrics with those of a configuration file.
func TestReadmeReloadMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if _, err := newReloader(&options{}, nil, registry, log.NewNopLogger()); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, f := range families {
		want[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	got := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `(" + program + "_config_[a-z_]+)` \\| ([a-z]+) \\| none \\|")
	for _, m := range row.FindAllStringSubmatch(readme(t), -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected metrics in README.md (-want +got):\n%s", diff)
	}
}
