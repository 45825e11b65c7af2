// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"strings"
	"unicode/utf8"
)

const asciiSpace = " \t\n\v\f\r"

// Label returns the value of the label prefix for the prefix of a firewall rule. Many rules end their prefix with white
// space, to set it off from the rest of a log line: that is cut.
func Label(raw string) string {
	return Escape(strings.TrimRight(raw, asciiSpace))
}

// Escape makes a label value of any bytes, so that different bytes give different values. Prometheus takes only UTF-8:
// any other byte becomes \xNN, and a backslash becomes \\.
func Escape(raw string) string {
	if utf8.ValidString(raw) && !strings.Contains(raw, `\`) {
		return raw
	}

	const hex = "0123456789abcdef"
	var b strings.Builder
	for raw != "" {
		r, size := utf8.DecodeRuneInString(raw)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x`)
			b.WriteByte(hex[raw[0]>>4])
			b.WriteByte(hex[raw[0]&0xf])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(raw[:size])
		}
		raw = raw[size:]
	}
	return b.String()
}
