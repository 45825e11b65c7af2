// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import "strings"

// OneLine joins the lines of a text by spaces. Errors of some parsers have several lines.
func OneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		parts = append(parts, strings.TrimSpace(line))
	}
	return strings.Join(parts, " ")
}
