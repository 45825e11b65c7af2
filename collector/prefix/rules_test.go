// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// labelled is the result of rules for a prefix.
type labelled struct {
	Prefix string
	Labels map[string]string
}

// applyRules applies rules to a prefix.
func applyRules(r *Rules, raw string) labelled {
	prefix, values := r.Apply(raw)
	l := labelled{Prefix: prefix, Labels: make(map[string]string)}
	for i, name := range r.LabelNames() {
		l.Labels[name] = values[i]
	}
	return l
}

// mustRules returns compiled rules.
func mustRules(tb testing.TB, rules ...Rule) *Rules {
	tb.Helper()
	r, err := NewRules(rules, nil)
	if err != nil {
		tb.Fatalf("make rules: %v", err)
	}
	return r
}

func TestRules(t *testing.T) {
	zones := Rule{
		Match:  `fw (?P<zone>\w+) (?P<verdict>drop|reject)`,
		Labels: map[string]string{"action": "${verdict}"},
		Prefix: "fw ${zone}",
	}
	type m = map[string]string
	tests := []struct {
		name  string
		rules []Rule
		raw   string
		want  labelled
	}{
		{
			name: "no rules",
			raw:  "fw\\\xff wan ",
			want: labelled{`fw\\\xff wan`, m{}},
		},
		{
			name:  "groups, label and prefix",
			rules: []Rule{zones},
			raw:   "fw wan drop",
			want:  labelled{"fw wan", m{"zone": "wan", "verdict": "drop", "action": "drop"}},
		},
		{
			name:  "white space at the end is cut before the match",
			rules: []Rule{zones},
			raw:   "fw wan drop \t\n\v\f\r",
			want:  labelled{"fw wan", m{"zone": "wan", "verdict": "drop", "action": "drop"}},
		},
		{
			name:  "no match",
			rules: []Rule{zones},
			raw:   "ssh: ",
			want:  labelled{"ssh:", m{"zone": "", "verdict": "", "action": ""}},
		},
		{
			name:  "no prefix",
			rules: []Rule{zones},
			raw:   "",
			want:  labelled{"", m{"zone": "", "verdict": "", "action": ""}},
		},
		{
			name:  "anchored in front",
			rules: []Rule{{Match: `(?P<zone>wan)`}},
			raw:   "fw wan",
			want:  labelled{"fw wan", m{"zone": ""}},
		},
		{
			name:  "anchored at the end",
			rules: []Rule{{Match: `(?P<zone>wan)`}},
			raw:   "wan:",
			want:  labelled{"wan:", m{"zone": ""}},
		},
		{
			name:  "anchored around alternatives",
			rules: []Rule{{Match: `(?P<zone>a)|ab`, Labels: m{"seen": "yes"}}},
			raw:   "ab",
			want:  labelled{"ab", m{"zone": "", "seen": "yes"}},
		},
		{
			name:  "anchored with lines",
			rules: []Rule{{Match: `(?m)^(?P<zone>b)$`}},
			raw:   "a\nb",
			want:  labelled{`a\x0ab`, m{"zone": ""}},
		},
		{
			name:  "quote that is not closed",
			rules: []Rule{{Match: `(?P<zone>a)\Q|b)`}},
			raw:   "a|b)",
			want:  labelled{"a|b)", m{"zone": "a"}},
		},
		{
			name:  "dot matches line breaks",
			rules: []Rule{{Match: `a(?P<zone>.*)`}},
			raw:   "a\nb",
			want:  labelled{`a\x0ab`, m{"zone": `\x0ab`}},
		},
		{
			name: "first match wins",
			rules: []Rule{
				{Match: `b.*`, Labels: m{"rule": "1"}},
				{Match: `a(?P<rest>.*)`, Labels: m{"rule": "2"}},
				{Match: `.*`, Labels: m{"rule": "3", "other": "x"}, Prefix: "y"},
			},
			raw:  "abc",
			want: labelled{"abc", m{"rule": "2", "rest": "bc", "other": ""}},
		},
		{
			name:  "group takes no part",
			rules: []Rule{{Match: `(?P<a>x)?(?P<b>y)?(z)?`, Prefix: "<${a}${b}>"}},
			raw:   "y",
			want:  labelled{"<y>", m{"a": "", "b": "y"}},
		},
		{
			name:  "groups of the same name",
			rules: []Rule{{Match: `(?P<a>x)?z|(?P<a>y)?(?P<a>z)`, Prefix: "<${a}>"}},
			raw:   "yz",
			want:  labelled{"<y>", m{"a": "y"}},
		},
		{
			name:  "dollars",
			rules: []Rule{{Match: `(?P<a>.*)`, Labels: m{"b": "$$${a}$$$${a}$$"}}},
			raw:   "$x",
			want:  labelled{"$x", m{"a": "$x", "b": "$$x$${a}$"}},
		},
		{
			name:  "bytes are escaped",
			rules: []Rule{{Match: `(?P<a>..)(?P<b>.*)`, Labels: m{"c": `\${b}`}, Prefix: "${b}${a}"}},
			raw:   "\xff\\\xc3\xa4\xc3",
			want:  labelled{`ä\xc3\xff\\`, m{"a": `\xff\\`, "b": `ä\xc3`, "c": `\ä\xc3`}},
		},
		{
			name:  "bytes that are not UTF-8 match U+FFFD",
			rules: []Rule{{Match: `\x{fffd}(?P<a>.)`}},
			raw:   "\xffx",
			want:  labelled{`\xffx`, m{"a": "x"}},
		},
		{
			name:  "flags stay within the rule",
			rules: []Rule{{Match: `(?iU)(?P<a>a+)(?P<b>.*)`}},
			raw:   "AAB",
			want:  labelled{"AAB", m{"a": "A", "b": "AB"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustRules(t, tt.rules...)
			for range 2 { // the second result is from the cache
				if diff := cmp.Diff(tt.want, applyRules(r, tt.raw)); diff != "" {
					t.Errorf("unexpected labels of %q (-want +got):\n%s", tt.raw, diff)
				}
			}
		})
	}
}

func TestRulesLabelNames(t *testing.T) {
	r := mustRules(t,
		Rule{Match: `(?P<zone>a)`, Labels: map[string]string{"action": "x"}},
		Rule{Match: `(?P<zone>b)(?P<chain>c)`},
	)
	if diff := cmp.Diff([]string{"action", "chain", "zone"}, r.LabelNames()); diff != "" {
		t.Errorf("unexpected names (-want +got):\n%s", diff)
	}
	if names := mustRules(t).LabelNames(); len(names) != 0 {
		t.Errorf("names without rules: %q", names)
	}
}

func TestNewRulesErrors(t *testing.T) {
	_, err := NewRules([]Rule{{Match: "a"}, {Match: "(?P<le>a)"}}, nil)
	if err == nil {
		t.Fatal("no error for a rule that makes the label le")
	}
	want := `prefix rule 2: label "le": must not be one that Prometheus sets itself`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("unexpected error (-want +got):\n%s", diff)
	}
}

func TestRulesMatch(t *testing.T) {
	r, err := NewRules([]Rule{{Match: "a"}, {Match: "a|b"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, prefixes := range map[int][]string{0: {"a", "a "}, 1: {"b"}, -1: {"ab", ""}} {
		for _, raw := range prefixes {
			if got := r.Match(raw); got != want {
				t.Errorf("%q: matched by rule %d, want %d", raw, got, want)
			}
		}
	}
}
