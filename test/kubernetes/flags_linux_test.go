// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kubernetes/chartvalues"
)

// TestFlags checks that the chart has a value for each flag that makes sense in a pod, and that the comments of empty values give
// the exporter's default.
func TestFlags(t *testing.T) {
	t.Parallel()
	// nflog.netns: other network namespaces need more than the binary's capability.
	excluded := []string{"config.check", "config.check-interface", "config.check-prefix", "help", "nflog.max-netns", "nflog.netns", "version", "web.systemd-socket"}
	// These have another name, or a default of their own in the chart.
	renamed := map[string]string{
		"nflog.group":                  "nflog.groups",
		"collector.interface-pattern":  "collector.interfacePatterns",
		"collector.histogram-labels":   "collector.histogramLabels",
		"collector.packet-size":        "collector.packetSize",
		"collector.ruleset":            "collector.ruleset",
		"config.file":                  "config",
		"config.reload-interval":       "configReloadInterval",
		"web.config.file":              "web.config.secrets",
		"web.disable-exporter-metrics": "web.exporterMetrics",
		"web.enable-lifecycle":         "web.enableLifecycle",
		"web.listen-address":           "web.port",
	}

	list, err := chartvalues.Read(chart + "/values.yaml")
	must(t, err)
	values := make(map[string]chartvalues.Value)
	for _, v := range list {
		values[v.Path] = v
	}
	for flag, def := range documentedFlags(t) {
		if slices.Contains(excluded, flag) {
			continue
		}
		path, isRenamed := renamed[flag]
		if !isRenamed {
			path = camelCase(flag)
		}
		v, ok := values[path]
		switch text := v.Default; {
		case !ok:
			t.Errorf("--%s: the chart has no value %s", flag, path)
		case isRenamed:
		case text.Value != "":
			if text.Value != def {
				t.Errorf("%s is %q, but --%s is %q by default", path, text.Value, flag, def)
			}
		case !strings.Contains(v.Comment, "by default `"+def+"`"):
			t.Errorf("%s is empty, but its comment does not give %q, the default of --%s: %s", path, def, flag, v.Comment)
		}
	}
}

// documentedFlags returns the flags of docs/configuration.md with their defaults.
func documentedFlags(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(tree + "/docs/configuration.md")
	must(t, err)
	flags := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `--(?:\\[no-\\])?([a-z.-]+)` \\| (?:`([^`]*)`)?")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		flags[m[1]] = m[2]
	}
	if len(flags) < 20 {
		t.Fatalf("docs/configuration.md has only the flags %v", flags)
	}
	return flags
}

// camelCase returns the chart's name of a flag: nflog.copyRange for nflog.copy-range.
func camelCase(flag string) string {
	return regexp.MustCompile("-.").ReplaceAllStringFunc(flag, func(s string) string { return strings.ToUpper(s[1:]) })
}
