// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReader checks that a program changes from go-nflog to package nflog by one
// line, which the formatter puts in a paragraph of its own.
func TestReader(t *testing.T) {
	const (
		theirs = `	"github.com/florianl/go-nflog/v2"`
		ours   = `	"github.com/nflog-exporter/nflog_exporter/nflog"`
	)
	want := lines(t, "reader/main.go", theirs)
	got := lines(t, "../../tools/bench/compatible/main.go", ours)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the programs differ (-go-nflog +nflog):\n%s", diff)
	}
}

// lines returns the lines of a file that are not empty but one, which is in it
// once.
func lines(t testing.TB, name, without string) []string {
	t.Helper()
	source, err := os.ReadFile(name)
	must(t, err)
	var got []string
	found := 0
	for line := range strings.SplitSeq(string(source), "\n") {
		switch line {
		case without:
			found++
		case "":
		default:
			got = append(got, line)
		}
	}
	if found != 1 {
		t.Errorf("%s has %d times %s", name, found, without)
	}
	return got
}
