// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrefixRuleCheck(t *testing.T) {
	const (
		name      = "must be a name of letters, digits and _, with no digit in front"
		templates = "must be text in which ${NAME} stands for a named group of match, and $$ for $"
	)
	type m = map[string]string
	match := func(text string) []RuleProblem { return []RuleProblem{{Field: RuleMatch, Text: text}} }
	label := func(name, text string) []RuleProblem { return []RuleProblem{{RuleLabels, name, text}} }
	prefix := func(text string) []RuleProblem { return []RuleProblem{{Field: RulePrefix, Text: text}} }

	tests := []struct {
		name string
		rule PrefixRule
		want []RuleProblem
	}{
		{name: "fine", rule: PrefixRule{Match: `(?P<zone>\w+) (?<_verdict2>x)`, Labels: m{"Action": "${zone} $$", "none": ""}, Prefix: "a"}},
		{name: "longest", rule: PrefixRule{Match: strings.Repeat("a", 4096), Prefix: strings.Repeat("b", 256)}},

		{name: "empty match", want: match(`match="": must not be empty`)},
		{
			name: "match too long", rule: PrefixRule{Match: strings.Repeat("a", 4097)},
			want: match(`match="` + strings.Repeat("a", 100) + `": must not be longer than 4096 bytes`),
		},
		{
			name: "bad match", rule: PrefixRule{Match: "fw (", Labels: m{"a": "${b}"}},
			want: match(`match="fw (": must be a regular expression in RE2's syntax: missing closing ): "fw ("`),
		},
		{
			name: "match that ends its group", rule: PrefixRule{Match: "a)|(b"},
			want: match(`match="a)|(b": must be a regular expression in RE2's syntax: unexpected ): "a)|(b"`),
		},
		{
			name: "match that ends its group and quotes", rule: PrefixRule{Match: `a)|(?:\Qb`},
			want: match(`match="a)|(?:\\Qb": must be a regular expression in RE2's syntax: unexpected ): "a)|(?:\\Qb"`),
		},
		{
			name: "match with lookahead", rule: PrefixRule{Match: "(?!a)"},
			want: match(`match="(?!a)": must be a regular expression in RE2's syntax: invalid or unsupported Perl syntax: "(?!"`),
		},
		{
			name: "match too large", rule: PrefixRule{Match: "((a{100}){100}){100}"},
			want: match(`match="((a{100}){100}){100}": must be a regular expression in RE2's syntax: invalid repeat count: "{100}"`),
		},
		{
			name: "match not UTF-8", rule: PrefixRule{Match: "a\xff"},
			want: match(`match="a\xff": must be a regular expression in RE2's syntax: invalid UTF-8: "\xff"`),
		},

		{name: "group with digit in front", rule: PrefixRule{Match: "(?P<1a>x)"}, want: match(`label "1a": ` + name)},
		{name: "label with dash", rule: PrefixRule{Match: "x", Labels: m{"a-b": ""}}, want: label("a-b", `label "a-b": `+name)},
		{name: "label without name", rule: PrefixRule{Match: "x", Labels: m{"": ""}}, want: label("", `label "": `+name)},
		{name: "label with line break", rule: PrefixRule{Match: "x", Labels: m{"a\n": ""}}, want: label("a\n", `label "a\n": `+name)},
		{name: "label beyond ASCII", rule: PrefixRule{Match: "x", Labels: m{"größe": ""}}, want: label("größe", `label "größe": `+name)},
		{
			name: "reserved name", rule: PrefixRule{Match: "(?P<__name__>x)"},
			want: match(`label "__name__": must not begin with __, which Prometheus keeps for itself`),
		},
		{
			name: "label of Prometheus", rule: PrefixRule{Match: "x", Labels: m{"job": "a"}},
			want: label("job", `label "job": must not be one that Prometheus sets itself`),
		},
		{
			name: "prefix as label", rule: PrefixRule{Match: "x", Labels: m{"prefix": "a"}},
			want: label("prefix", `label "prefix": must not be the label that the setting prefix of a rule rewrites`),
		},

		{
			name: "label is group", rule: PrefixRule{Match: "(?P<a>x)", Labels: m{"a": "b"}},
			want: label("a", `label "a": must not be the name of a group of match, too`),
		},
		{
			name: "unknown group", rule: PrefixRule{Match: "(?P<a>x)", Labels: m{"b": "${a}${c}"}},
			want: label("b", `label "b"="${a}${c}": must name groups of match, which has no group "c"`),
		},
		{
			name: "unknown group in prefix", rule: PrefixRule{Match: "x", Prefix: "${c}"},
			want: prefix(`prefix="${c}": must name groups of match, which has no group "c"`),
		},
		{
			name: "numbered group", rule: PrefixRule{Match: "(x)", Prefix: "${1}"},
			want: prefix(`prefix="${1}": must name groups of match, which has no group "1"`),
		},
		{name: "dollar at the end", rule: PrefixRule{Match: "x", Prefix: "a$"}, want: prefix(`prefix="a$": ` + templates)},
		{name: "no braces", rule: PrefixRule{Match: "(?P<a>x)", Prefix: "$a"}, want: prefix(`prefix="$a": ` + templates)},
		{name: "brace left open", rule: PrefixRule{Match: "(?P<a>x)", Prefix: "${a"}, want: prefix(`prefix="${a": ` + templates)},
		{name: "template not UTF-8", rule: PrefixRule{Match: "x", Prefix: "\xff"}, want: prefix(`prefix="\xff": must be UTF-8`)},
		{
			name: "template too long", rule: PrefixRule{Match: "x", Prefix: strings.Repeat("a", 257)},
			want: prefix(`prefix="` + strings.Repeat("a", 100) + `": must not be longer than 256 bytes`),
		},

		{
			name: "all at once",
			rule: PrefixRule{Match: `(?P<le>x)(?P<quantile>y)`, Labels: m{"b": "$", "__a": "$"}, Prefix: "$"},
			want: []RuleProblem{
				{RuleMatch, "", `label "le": must not be one that Prometheus sets itself`},
				{RuleMatch, "", `label "quantile": must not be one that Prometheus sets itself`},
				{RuleLabels, "__a", `label "__a": must not begin with __, which Prometheus keeps for itself`},
				{RuleLabels, "__a", `label "__a"="$": ` + templates},
				{RuleLabels, "b", `label "b"="$": ` + templates},
				{RulePrefix, "", `prefix="$": ` + templates},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mistakes, warnings := tt.rule.Check()
			if diff := cmp.Diff(tt.want, mistakes); diff != "" {
				t.Errorf("unexpected mistakes (-want +got):\n%s", diff)
			}
			if len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

func TestPrefixRuleCheckRefusesNames(t *testing.T) {
	names := append(LabelNames(), "job", "instance", "le", "quantile", "reason", "netns", "__address__")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			byGroup, _ := PrefixRule{Match: fmt.Sprintf("(?P<%s>x)", name)}.Check()
			byLabel, _ := PrefixRule{Match: "x", Labels: map[string]string{name: "x"}}.Check()
			if len(byGroup) != 1 || len(byLabel) != 1 {
				t.Errorf("mistakes: %v as group, %v as label", byGroup, byLabel)
			}
		})
	}
}

func TestPrefixRuleCheckWarns(t *testing.T) {
	rule := PrefixRule{
		Match:  `(?P<namespace>a)(?P<pod>b)(?P<node>c)(?P<policy>d)`,
		Labels: map[string]string{"container": "", "service": "", "cluster": "", "action": ""},
	}
	text := func(name string) string {
		return fmt.Sprintf("label %q: is often set by scrape configurations, then Prometheus stores it as exported_%s", name, name)
	}
	want := []RuleProblem{
		{RuleLabels, "cluster", text("cluster")},
		{RuleLabels, "container", text("container")},
		{RuleMatch, "", text("namespace")},
		{RuleMatch, "", text("node")},
		{RuleMatch, "", text("pod")},
		{RuleLabels, "service", text("service")},
	}
	mistakes, warnings := rule.Check()
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("unexpected warnings (-want +got):\n%s", diff)
	}
	if len(mistakes) > 0 {
		t.Errorf("mistakes: %v", mistakes)
	}
}
