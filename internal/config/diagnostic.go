// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// A Diagnostic is a message about a place in a file, or about a flag.
type Diagnostic struct {
	Path         string // empty for a flag, which has no line and column
	Line, Column int    // from 1
	Text         string
	Warning      bool // whether the file is usable all the same
}

// String returns the diagnostic in the format of compilers.
func (d Diagnostic) String() string {
	s := d.Text
	if d.Path != "" {
		s = fmt.Sprintf("%s:%d:%d: %s", d.Path, d.Line, d.Column, d.Text)
	}
	if d.Warning {
		s += " (warning)"
	}
	return s
}

// Diagnostics are the mistakes that make a file unusable.
type Diagnostics []Diagnostic

// Error returns a line for each mistake.
func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i, mistake := range d {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

// LogWarnings logs warnings about flags and the configuration file.
func LogWarnings(logger log.Logger, warnings []Diagnostic) {
	for _, w := range warnings {
		if w.Path == "" {
			level.Warn(logger).Log("msg", w.Text)
			continue
		}
		level.Warn(logger).Log("msg", "Configuration file: "+w.Text, "file", w.Path, "line", w.Line, "column", w.Column)
	}
}
