// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuleCheck(t *testing.T) {
	const (
		name      = "must be a name of letters, digits and _, with no digit in front"
		templates = "must be text in which ${NAME} stands for a named group of match, and $$ for $"
	)
	type m = map[string]string
	match := func(text string) []Problem { return []Problem{{Field: FieldMatch, Text: text}} }
	label := func(name, text string) []Problem { return []Problem{{FieldLabels, name, text}} }
	prefix := func(text string) []Problem { return []Problem{{Field: FieldPrefix, Text: text}} }

	tests := []struct {
		name string
		rule Rule
		want []Problem
	}{
		{name: "no mistake", rule: Rule{Match: `(?P<zone>\w+) (?<_verdict2>x)`, Labels: m{"Action": "${zone} $$", "none": ""}, Prefix: "a"}},
		{name: "longest match and prefix", rule: Rule{Match: strings.Repeat("a?", 2048), Prefix: strings.Repeat("b", 256)}},

		{name: "empty match", want: match(`match="": must not be empty`)},
		{
			name: "match too long", rule: Rule{Match: strings.Repeat("a", 4097)},
			want: match(`match="` + strings.Repeat("a", 100) + `": must not be longer than 4096 bytes`),
		},
		{
			name: "bad match", rule: Rule{Match: "fw (", Labels: m{"a": "${b}"}},
			want: match(`match="fw (": must be a regular expression in RE2's syntax: missing closing ): "fw ("`),
		},
		{
			name: "match that closes a group of its anchors", rule: Rule{Match: "a)|(b"},
			want: match(`match="a)|(b": must be a regular expression in RE2's syntax: unexpected ): "a)|(b"`),
		},
		{
			name: "match that closes a group of its anchors, with a quote", rule: Rule{Match: `a)|(?:\Qb`},
			want: match(`match="a)|(?:\\Qb": must be a regular expression in RE2's syntax: unexpected ): "a)|(?:\\Qb"`),
		},
		{
			name: "match with lookahead", rule: Rule{Match: "(?!a)"},
			want: match(`match="(?!a)": must be a regular expression in RE2's syntax: invalid or unsupported Perl syntax: "(?!"`),
		},
		{
			name: "match too large", rule: Rule{Match: "((a{100}){100}){100}"},
			want: match(`match="((a{100}){100}){100}": must be a regular expression in RE2's syntax: invalid repeat count: "{100}"`),
		},
		{
			name: "match not UTF-8", rule: Rule{Match: "a\xff"},
			want: match(`match="a\xff": must be a regular expression in RE2's syntax: invalid UTF-8: "\xff"`),
		},

		{name: "group that begins with a digit", rule: Rule{Match: "(?P<1a>x)"}, want: match(`label "1a": ` + name)},
		{name: "label with dash", rule: Rule{Match: "x", Labels: m{"a-b": ""}}, want: label("a-b", `label "a-b": `+name)},
		{name: "label without name", rule: Rule{Match: "x", Labels: m{"": ""}}, want: label("", `label "": `+name)},
		{name: "label with line break", rule: Rule{Match: "x", Labels: m{"a\n": ""}}, want: label("a\n", `label "a\n": `+name)},
		{name: "label beyond ASCII", rule: Rule{Match: "x", Labels: m{"größe": ""}}, want: label("größe", `label "größe": `+name)},
		{
			name: "name that begins with __", rule: Rule{Match: "(?P<__name__>x)"},
			want: match(`label "__name__": must not begin with __, which Prometheus keeps for itself`),
		},
		{
			name: "label that Prometheus sets", rule: Rule{Match: "x", Labels: m{"job": "a"}},
			want: label("job", `label "job": must not be one that Prometheus sets itself`),
		},
		{
			name: "prefix as label", rule: Rule{Match: "x", Labels: m{"prefix": "a"}},
			want: label("prefix", `label "prefix": must not be the label that the setting prefix of a rule rewrites`),
		},

		{
			name: "label is group", rule: Rule{Match: "(?P<a>x)", Labels: m{"a": "b"}},
			want: label("a", `label "a": must not be the name of a group of match, too`),
		},
		{
			name: "unknown group", rule: Rule{Match: "(?P<a>x)", Labels: m{"b": "${a}${c}"}},
			want: label("b", `label "b"="${a}${c}": must name groups of match, which has no group "c"`),
		},
		{
			name: "unknown group in prefix", rule: Rule{Match: "x", Prefix: "${c}"},
			want: prefix(`prefix="${c}": must name groups of match, which has no group "c"`),
		},
		{
			name: "numbered group", rule: Rule{Match: "(x)", Prefix: "${1}"},
			want: prefix(`prefix="${1}": must name groups of match, which has no group "1"`),
		},
		{name: "dollar at the end", rule: Rule{Match: "x", Prefix: "a$"}, want: prefix(`prefix="a$": ` + templates)},
		{name: "no braces", rule: Rule{Match: "(?P<a>x)", Prefix: "$a"}, want: prefix(`prefix="$a": ` + templates)},
		{name: "brace left open", rule: Rule{Match: "(?P<a>x)", Prefix: "${a"}, want: prefix(`prefix="${a": ` + templates)},
		{name: "template not UTF-8", rule: Rule{Match: "x", Prefix: "\xff"}, want: prefix(`prefix="\xff": must be UTF-8`)},
		{
			name: "template with control character", rule: Rule{Match: "x", Prefix: "a\x1b[31m"},
			want: prefix(`prefix="a\x1b[31m": must not have control characters, or characters that set the direction of text`),
		},
		{
			name: "template too long", rule: Rule{Match: "x", Prefix: strings.Repeat("a", 257)},
			want: prefix(`prefix="` + strings.Repeat("a", 100) + `": must not be longer than 256 bytes`),
		},

		{
			name: "several mistakes",
			rule: Rule{Match: `(?P<le>x)(?P<quantile>y)`, Labels: m{"b": "$", "__a": "$"}, Prefix: "$"},
			want: []Problem{
				{FieldMatch, "", `label "le": must not be one that Prometheus sets itself`},
				{FieldMatch, "", `label "quantile": must not be one that Prometheus sets itself`},
				{FieldLabels, "__a", `label "__a": must not begin with __, which Prometheus keeps for itself`},
				{FieldLabels, "__a", `label "__a"="$": ` + templates},
				{FieldLabels, "b", `label "b"="$": ` + templates},
				{FieldPrefix, "", `prefix="$": ` + templates},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mistakes, warnings := tt.rule.Check(nil)
			if diff := cmp.Diff(tt.want, mistakes); diff != "" {
				t.Errorf("unexpected mistakes (-want +got):\n%s", diff)
			}
			if len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

func TestRuleCheckReserved(t *testing.T) {
	for _, name := range []string{"job", "instance", "le", "quantile", "__address__", "prefix", "taken"} {
		t.Run(name, func(t *testing.T) {
			reserved := []string{"other", "taken"}
			byGroup, _ := Rule{Match: fmt.Sprintf("(?P<%s>x)", name)}.Check(reserved)
			byLabel, _ := Rule{Match: "x", Labels: map[string]string{name: "x"}}.Check(reserved)
			if len(byGroup) != 1 || len(byLabel) != 1 {
				t.Errorf("mistakes: %v as group, %v as label", byGroup, byLabel)
			}
		})
	}
}

func TestRuleCheckWarns(t *testing.T) {
	rule := Rule{
		Match:  `(?P<namespace>a)(?P<pod>b)(?P<node>c)(?P<policy>d)`,
		Labels: map[string]string{"container": "", "service": "", "cluster": "", "action": ""},
	}
	text := func(name string) string {
		return fmt.Sprintf("label %q: is often set by scrape configurations, then Prometheus stores it as exported_%s", name, name)
	}
	want := []Problem{
		{FieldLabels, "cluster", text("cluster")},
		{FieldLabels, "container", text("container")},
		{FieldMatch, "", text("namespace")},
		{FieldMatch, "", text("node")},
		{FieldMatch, "", text("pod")},
		{FieldLabels, "service", text("service")},
	}
	mistakes, warnings := rule.Check(nil)
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("unexpected warnings (-want +got):\n%s", diff)
	}
	if len(mistakes) > 0 {
		t.Errorf("mistakes: %v", mistakes)
	}
}
