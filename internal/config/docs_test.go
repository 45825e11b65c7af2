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

// Pages of the documentation with the tables and examples that these tests read.
const (
	flagsPage   = "../../docs/configuration.md"
	filePage    = "../../docs/configuration.md"
	metricsPage = "../../docs/metrics.md"
)

func readPage(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedFlags compares the documented flags and defaults with the real ones.
func TestDocumentedFlags(t *testing.T) {
	got := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `--(?:\\[no-\\])?([a-z.-]+)` \\| (?:`([^`]*)` |([a-z ]*) |)\\|")
	for _, m := range row.FindAllStringSubmatch(readPage(t, flagsPage), -1) {
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
		t.Errorf("unexpected flags and defaults in "+flagsPage+" (-want +got):\n%s", diff)
	}
}

// TestDocumentedFile checks that documented configuration files can be used, without a warning.
func TestDocumentedFile(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```yaml\n(groups:.*?\n)```\n")
	files := block.FindAllStringSubmatch(readPage(t, filePage), -1)
	if len(files) == 0 {
		t.Error(filePage + " has no configuration file")
	}
	for _, m := range files {
		_, warnings, err := parseFile(filePage, []byte(m[1]), testDefaults, false, noLists)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s%v %v", m[1], err, warnings)
		}
	}
}

// TestDocumentedReloadMetrics compares the documented metrics about reloads with the real ones.
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
	for _, m := range row.FindAllStringSubmatch(readPage(t, metricsPage), -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected metrics in "+metricsPage+" (-want +got):\n%s", diff)
	}
}
