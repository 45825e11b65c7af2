// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpToDate compares the committed dashboards with the output of this command.
func TestUpToDate(t *testing.T) {
	folder := filepath.Join("..", "..", "dashboards")
	want, err := files()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]byte)
	for _, path := range paths {
		if got[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dashboards are out of date; run go run ./tools/dashboards dashboards (-want +got):\n%s", diff)
	}
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	if err := write(folder); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("wrote %d files, want 4", len(entries))
	}
	if err := write(filepath.Join(folder, "none")); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}
