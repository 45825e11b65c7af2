// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// page returns a page of the documentation.
func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedFlags compares the table of flags in docs/configuration.md with those that there are.
func TestDocumentedFlags(t *testing.T) {
	got := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `--(?:\\[no-\\])?([a-z.-]+)` \\| (?:`([^`]*)` |([a-z ]*) |)\\|")
	for _, m := range row.FindAllStringSubmatch(page(t, "configuration.md"), -1) {
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
		t.Errorf("unexpected flags and defaults in docs/configuration.md (-want +got):\n%s", diff)
	}
}

// TestDocumentedConfigFile checks that the configuration file in docs/configuration.md can be used without a warning.
func TestDocumentedConfigFile(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```yaml\n(groups:.*?\n)```\n")
	files := block.FindAllStringSubmatch(page(t, "configuration.md"), -1)
	if len(files) == 0 {
		t.Error("docs/configuration.md has no configuration file")
	}
	for _, m := range files {
		_, warnings, err := parseConfigFile("docs/configuration.md", []byte(m[1]), testDefaults, false)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s%v %v", m[1], err, warnings)
		}
	}
}

// TestDocumentedReloadMetrics compares the table of metrics in docs/metrics.md with those of a configuration file.
func TestDocumentedReloadMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if _, err := NewReloader(&Options{}, nil, registry, log.NewNopLogger()); err != nil {
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
	row := regexp.MustCompile("(?m)^\\| `(" + Program + "_config_[a-z_]+)` \\| ([a-z]+) \\| none \\|")
	for _, m := range row.FindAllStringSubmatch(page(t, "metrics.md"), -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected metrics in docs/metrics.md (-want +got):\n%s", diff)
	}
}
