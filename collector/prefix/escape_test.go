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
		{name: "quotes and newline", raw: "a\"b\nc", want: "a\"b\nc"},
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
			if diff := cmp.Diff(tt.want, Label(tt.raw)); diff != "" {
				t.Errorf("unexpected label (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzLabel checks that Prometheus accepts the label, and that it can be decoded to the prefix: no two prefixes share a label.
func FuzzLabel(f *testing.F) {
	for _, raw := range []string{"", "drop: ", `a\b`, `bad\xff`, "bad\xff\xfe", "ü\\\xff\ufffd", "\xed\xa0\x80"} {
		f.Add([]byte(raw))
	}
	escape := regexp.MustCompile(`\\\\|\\x[0-9a-f]{2}`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		label := Label(string(raw))
		if !utf8.ValidString(label) {
			t.Fatalf("label %q of %q is not UTF-8", label, raw)
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
