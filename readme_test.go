// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeFlags compares the README's table of flags with those that there are.
func TestReadmeFlags(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| `--([a-z.-]+)` \\| (?:`([^`]*)` |off |none |)\\|")
	for _, m := range row.FindAllStringSubmatch(string(readme), -1) {
		got[m[1]] = m[2]
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
