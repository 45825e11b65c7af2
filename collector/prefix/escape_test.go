// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestLabel(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		want string
	}{
		{name: "none", raw: "", want: ""},
		{name: "plain", raw: "fw wan drop", want: "fw wan drop"},
		{name: "trailing space", raw: "drop: ", want: "drop:"},
		{name: "all white space at the end", raw: "drop \t\n\v\f\r", want: "drop"},
		{name: "leading space stays", raw: "  drop", want: "  drop"},
		{name: "only white space", raw: " \t ", want: ""},
		{name: "other white space stays", raw: "drop\u00a0", want: "drop\u00a0"},
		{name: "UTF-8", raw: "größe ✓ 𝄞", want: "größe ✓ 𝄞"},
		{name: "replacement character", raw: "a\ufffdb", want: "a\ufffdb"},
		{name: "quotes", raw: "a\"b", want: "a\"b"},
		{name: "line breaks", raw: "a\nb\rc", want: `a\x0ab\x0dc`},
		{name: "tab", raw: "\ta", want: `\x09a`},
		{name: "first and last control characters", raw: "\x00 \x1f \x7f \u0080 \u009f.", want: `\x00 \x1f \x7f \xc2\x80 \xc2\x9f.`},
		{name: "first characters after them", raw: " ~\u00a0", want: " ~\u00a0"},
		{name: "terminal sequences", raw: "\x1b[2J\u009b31m", want: `\x1b[2J\xc2\x9b31m`},
		{name: "line separators", raw: "a\u2028b\u2029", want: `a\xe2\x80\xa8b\xe2\x80\xa9`},
		{name: "direction of text", raw: "\u061c\u200e\u200f", want: `\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f`},
		{name: "first and last embedding", raw: "\u202a\u202e", want: `\xe2\x80\xaa\xe2\x80\xae`},
		{name: "first and last isolate", raw: "\u2066\u2069", want: `\xe2\x81\xa6\xe2\x81\xa9`},
		{name: "neighbours of those", raw: "\u061b\u200d\u2027\u202f\u2065\u206a", want: "\u061b\u200d\u2027\u202f\u2065\u206a"},
		{name: "text from right to left", raw: "שלום", want: "שלום"},
		{name: "backslash", raw: `a\b`, want: `a\\b`},
		{name: "backslash at the end", raw: `a\`, want: `a\\`},
		{name: "not UTF-8", raw: "bad\xff\xfe\xc3end", want: `bad\xff\xfe\xc3end`},
		{name: "escape sequence", raw: `bad\xff`, want: `bad\\xff`},
		{name: "first digit", raw: "\x80\x8f", want: `\x80\x8f`},
		{name: "truncated character", raw: "gr\xc3", want: `gr\xc3`},
		{name: "truncated before space", raw: "\xe2\x9c ", want: `\xe2\x9c`},
		{name: "surrogate", raw: "\xed\xa0\x80", want: `\xed\xa0\x80`},
		{name: "overlong", raw: "\xc0\xaf", want: `\xc0\xaf`},
		{name: "mixed", raw: "ü\\\xffü", want: `ü\\\xffü`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, labelOf(tt.raw)); diff != "" {
				t.Errorf("unexpected label (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzLabel checks that Prometheus accepts the label, that a terminal shows it as it is, and that it can be decoded to the
// prefix: no two prefixes share a label.
func FuzzLabel(f *testing.F) {
	for _, raw := range []string{"", "drop: ", `a\b`, `bad\xff`, "bad\xff\xfe", "ü\\\xff\ufffd", "\xed\xa0\x80", "\x1b[31m\u202ea\u2069\u2028"} {
		f.Add([]byte(raw))
	}
	unprintable := regexp.MustCompile(`[\p{Cc}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]`)
	escape := regexp.MustCompile(`\\\\|\\x[0-9a-f]{2}`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		label := labelOf(string(raw))
		if !utf8.ValidString(label) {
			t.Fatalf("label %q of %q is not UTF-8", label, raw)
		}
		if bad := unprintable.FindString(label); bad != "" {
			t.Fatalf("label %q of %q has %q", label, raw, bad)
		}
		got := escape.ReplaceAllStringFunc(label, func(s string) string {
			if s == `\\` {
				return `\`
			}
			b, err := strconv.ParseUint(s[2:], 16, 8)
			if err != nil {
				t.Fatalf("parse %q: %v", s, err)
			}
			return string([]byte{byte(b)})
		})
		if want := bytes.TrimRight(raw, " \t\n\v\f\r"); got != string(want) {
			t.Fatalf("label %q of %q decodes to %q", label, raw, got)
		}
	})
}
