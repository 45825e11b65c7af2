// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzRules checks that rules without mistakes make label values that Prometheus accepts, and that they match a whole prefix
// or nothing.
func FuzzRules(f *testing.F) {
	f.Add(`fw (?P<zone>\w+)`, "${zone}", "fw wan")
	f.Add(`a)|(?P<b>b`, "$$", "b")
	f.Add(`\Qa|b`, "x", "a|b")
	f.Add(`a)|(?:\Qb`, "x", "b")
	f.Add(`(?mi)^(?P<z>.)$`, "${z}${z}", "\xff")
	f.Add(`(?-s:.)(?P<a>[^x]*)`, "", "\n\xc3")
	f.Add(`(?P<a>a*?)(?P<b>(?U)a*)(c|\b)`, "${b}${a}", "aaa")
	f.Fuzz(func(t *testing.T, match, template, raw string) {
		rule := Rule{Match: match, Labels: map[string]string{"fixed": template}, Prefix: template}
		mistakes, _ := rule.Check(nil)
		for _, m := range mistakes {
			if strings.ContainsAny(m.Text, "\n\r") || !utf8.ValidString(m.Text) {
				t.Errorf("not a line of text: %q", m.Text)
			}
		}
		r, err := NewRules([]Rule{rule}, nil)
		if (err != nil) != (len(mistakes) > 0) {
			t.Fatalf("Check: %v, NewRules: %v", mistakes, err)
		}
		if err != nil {
			return
		}

		got := applyRules(r, raw)
		for _, v := range append(slices.Collect(maps.Values(got.Labels)), got.Prefix) {
			if !utf8.ValidString(v) {
				t.Errorf("label %q is not UTF-8", v)
			}
			if strings.ContainsFunc(v, unprintable) {
				t.Errorf("label %q has an unprintable character", v)
			}
		}
		// The same expression between anchors, unless it ends in a quote that is not closed.
		plain, err := regexp.Compile(`\A(?s:` + match + `)\z`)
		if err != nil {
			return
		}
		trimmed := strings.TrimRight(raw, " \t\n\v\f\r")
		groups := plain.FindStringSubmatchIndex(trimmed)
		if diff := cmp.Diff(groups, r.rules[0].match.FindStringSubmatchIndex(trimmed)); diff != "" {
			t.Errorf("unexpected match of %q (-want +got):\n%s", trimmed, diff)
		}
		if groups == nil && got.Prefix != labelOf(raw) {
			t.Errorf("prefix is %q without a match", got.Prefix)
		}
	})
}
