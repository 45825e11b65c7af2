// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"iter"
	"path/filepath"
)

// besideFile returns a path that a file at another path names: a relative one is relative to the folder of that file.
func besideFile(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// listed iterates over the items of a file that has one a line, with the number of the line. Comments begin with # or ;, and empty
// lines are left out.
func listed(data []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		line := 0
		for text := range bytes.Lines(data) {
			line++
			if at := bytes.IndexAny(text, "#;"); at >= 0 {
				text = text[:at]
			}
			if text = bytes.TrimSpace(text); len(text) > 0 && !yield(line, string(text)) {
				return
			}
		}
	}
}
