// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLinks checks that links to a dashboard have the uid of one, and keep the time range.
func TestLinks(t *testing.T) {
	uids := make(map[string]bool)
	for _, d := range dashboards(t) {
		uids[d.UID] = true
	}
	each(t, func(t *testing.T, d dashboard) {
		links := regexp.MustCompile(`"url": "([^"]*)"`).FindAllStringSubmatch(d.text, -1)
		if len(links) == 0 && d.UID != "nflog-node" {
			t.Error("no link to a node")
		}
		for _, m := range links {
			if strings.HasPrefix(m[1], "https://") {
				testPage(t, m[1])
				continue
			}
			uid, rest, _ := strings.Cut(strings.TrimPrefix(m[1], "/d/"), "?")
			if !uids[uid] || !strings.Contains(rest, "${__url_time_range}") {
				t.Errorf("link %q has an unknown uid, or loses the time range", m[1])
			}
		}
	})
}

// testPage checks that a link to the documentation leads to a heading of it.
func testPage(t *testing.T, url string) {
	t.Helper()
	path, heading, _ := strings.Cut(strings.TrimPrefix(url, "https://github.com/nflog-exporter/nflog_exporter/blob/main/"), "#")
	page, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Errorf("link %q: %v", url, err)
		return
	}
	words := strings.ReplaceAll(regexp.QuoteMeta(heading), "-", "[ -]")
	if !regexp.MustCompile(`(?im)^#+ ` + words + `$`).Match(page) {
		t.Errorf("link %q: the page has no such heading", url)
	}
}

// TestFaultsAreExplained checks that each number that turns red links to what explains it.
func TestFaultsAreExplained(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		if p.Type != "stat" {
			return
		}
		red := slices.ContainsFunc(p.FieldConfig.Defaults.Thresholds.Steps, func(s step) bool { return s.Color == "red" })
		if red && len(p.FieldConfig.Defaults.Links) == 0 {
			t.Error("no link")
		}
	})
}
