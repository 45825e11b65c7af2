// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestQueriesAreInBlocks checks that no page has a query where nothing asks it.
func TestQueriesAreInBlocks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile("`[^`\n]*nflog_[a-z_]+({[^`\n]*})?(\\[| [-+*/<>=] )[^`\n]*`").FindAllString(string(content), -1) {
			t.Errorf("%s: %s is not in a block", page, found)
		}
	}
}

// TestNamesAreDocumented checks that queries name metrics and labels that docs/metrics.md has, or a recording rule makes,
// or Prometheus itself.
func TestNamesAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, _, _ := strings.Cut(string(content), "\n## Histograms\n")
	metrics := []string{
		"up", "scrape_duration_seconds", "scrape_samples_scraped",
		"kube_pod_info", "kube_pod_status_phase", // of kube-state-metrics
	}
	labels := []string{
		"__name__", "job", "instance", "le", "netns",
		"policy", "policy_namespace", // of the preset k3s
		"action", "cluster", "namespace", "service", "pod", "container", "endpoint", // of prefix rules, and of targets
		"pod_ip", "host_network", "phase", // of kube-state-metrics
	}
	quoted := func(cell string) (names []string) {
		for _, m := range regexp.MustCompile("`([a-z_]+\\*?)`").FindAllStringSubmatch(cell, -1) {
			names = append(names, m[1])
		}
		return names
	}
	var families []string // such as process_*
	for _, m := range regexp.MustCompile("(?m)^\\| (`.*?) \\|(.*?)\\|(.*?)\\|").FindAllStringSubmatch(tables, -1) {
		names := quoted(m[1])
		switch kind := strings.TrimSpace(m[2]); {
		case strings.HasSuffix(names[0], "*"):
			families = append(families, names...)
		case kind == "counter" || kind == "gauge":
			metrics, labels = append(metrics, names...), append(labels, quoted(m[3])...)
		case kind == "histogram":
			metrics = append(metrics, names[0], names[0]+"_bucket", names[0]+"_count", names[0]+"_sum")
		default: // the tables of labels
			labels = append(labels, names...)
		}
	}

	who, err := os.ReadFile("../../docs/who.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^ +- record: (.*)$").FindAllStringSubmatch(string(who), -1) {
		metrics = append(metrics, m[1])
	}

	all := ofTree(t)
	for _, q := range all {
		metrics = append(metrics, q.Record)
		labels = append(labels, q.Names().Made...)
	}
	for _, q := range all {
		names := q.Names()
		if len(names.Metrics) == 0 && !slices.Contains(names.Labels, "__name__") {
			t.Errorf("%s: no metric in\n%s", q.Where, q.Expr)
		}
		for _, metric := range names.Metrics {
			inFamily := slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(metric, strings.TrimSuffix(f, "*")) })
			if !slices.Contains(metrics, metric) && !inFamily {
				t.Errorf("%s: metric %s is not in docs/metrics.md", q.Where, metric)
			}
		}
		for _, label := range append(names.Labels, q.Label) {
			if label != "" && !slices.Contains(labels, label) {
				t.Errorf("%s: label %s is not in docs/metrics.md", q.Where, label)
			}
		}
	}
}
