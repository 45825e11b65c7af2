// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const asciiSpace = " \t\n\v\f\r"

// labelOf returns the value of the label prefix for the prefix of a firewall rule. Many rules end their prefix with white
// space, to set it off from the rest of a log line: that is cut.
func labelOf(raw string) string {
	return Escape(strings.TrimRight(raw, asciiSpace))
}

// Escape returns the value of a label that shows raw: different bytes give different values, and none is Overflow.
func Escape(raw string) string { return notOverflow(escape(raw)) }

// escape makes a label value of any bytes, so that different bytes give different values. Prometheus takes only UTF-8, and
// people read values in terminals. So each byte of what is not UTF-8, or of an unprintable character, becomes \xNN, and a
// backslash becomes \\.
func escape(raw string) string {
	if utf8.ValidString(raw) && !strings.ContainsFunc(raw, func(r rune) bool { return r == '\\' || unprintable(r) }) {
		return raw
	}

	const hex = "0123456789abcdef"
	var b strings.Builder
	for raw != "" {
		r, size := utf8.DecodeRuneInString(raw)
		switch {
		case r == utf8.RuneError && size == 1, unprintable(r):
			for _, c := range []byte(raw[:size]) {
				b.WriteString(`\x`)
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&0xf])
			}
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(raw[:size])
		}
		raw = raw[size:]
	}
	return b.String()
}

// unprintable reports whether a character can change how a terminal or a page shows the text around it: control characters,
// line separators, and characters that set the direction of text.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
