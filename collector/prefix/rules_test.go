// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// labelled is what rules make of a prefix.
type labelled struct {
	Prefix string
	Labels map[string]string
}

func applyRules(r *Rules, raw string) labelled {
	prefix, values := r.Apply(raw)
	l := labelled{Prefix: prefix, Labels: make(map[string]string)}
	for i, name := range r.LabelNames() {
		l.Labels[name] = values[i]
	}
	return l
}

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
			name:  "white space at the end is cut before",
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
			want:  labelled{"a\nb", m{"zone": ""}},
		},
		{
			name:  "quote without end",
			rules: []Rule{{Match: `(?P<zone>a)\Q|b)`}},
			raw:   "a|b)",
			want:  labelled{"a|b)", m{"zone": "a"}},
		},
		{
			name:  "dot matches line breaks",
			rules: []Rule{{Match: `a(?P<zone>.*)`}},
			raw:   "a\nb",
			want:  labelled{"a\nb", m{"zone": "\nb"}},
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
			for range 2 { // the second answer is remembered
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

func TestNewRulesRefuses(t *testing.T) {
	_, err := NewRules([]Rule{{Match: "a"}, {Match: "(?P<le>a)"}}, nil)
	if err == nil {
		t.Fatal("a rule that makes the label le was taken")
	}
	want := `prefix rule 2: label "le": must not be one that Prometheus sets itself`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("unexpected error (-want +got):\n%s", diff)
	}
}

func TestRulesForget(t *testing.T) {
	r := mustRules(t, Rule{Match: `p(?P<number>\d+)`})
	for round := range 2 {
		for i := range 3 * maxKnownPrefixes / 2 {
			number := fmt.Sprint(i)
			_, values := r.Apply("p" + number)
			if values[0] != number {
				t.Fatalf("round %d: prefix p%s has the label %q", round, number, values[0])
			}
			if len(r.known) > maxKnownPrefixes {
				t.Fatalf("round %d: %d prefixes are known", round, len(r.known))
			}
		}
	}
}

func TestRulesConcurrent(t *testing.T) {
	r := mustRules(t, Rule{Match: `p(?P<number>\d+)`})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				number := fmt.Sprint(i % 100)
				if _, values := r.Apply("p" + number); values[0] != number {
					t.Errorf("prefix p%s has the label %q", number, values[0])
				}
			}
		})
	}
	wg.Wait()
}

// FuzzRules checks that rules which are no mistake make labels that Prometheus takes, and that
// they match a whole prefix or nothing.
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
		}
		// Without a quote that has no end, putting the expression between anchors does the same.
		plain, err := regexp.Compile(`\A(?s:` + match + `)\z`)
		if err != nil {
			return
		}
		trimmed := strings.TrimRight(raw, " \t\n\v\f\r")
		groups := plain.FindStringSubmatchIndex(trimmed)
		if diff := cmp.Diff(groups, r.rules[0].match.FindStringSubmatchIndex(trimmed)); diff != "" {
			t.Errorf("unexpected match of %q (-want +got):\n%s", trimmed, diff)
		}
		if groups == nil && got.Prefix != Label(raw) {
			t.Errorf("prefix is %q without a match", got.Prefix)
		}
	})
}

func BenchmarkRules(b *testing.B) {
	var rules []Rule
	for _, name := range Presets() {
		rules = append(rules, Preset(name)...)
	}
	const prefix = "net-fw REJECT averylongtagna "

	b.Run("known", func(b *testing.B) {
		r := mustRules(b, rules...)
		b.ReportAllocs()
		for b.Loop() {
			r.Apply(prefix)
		}
	})
	b.Run("unknown", func(b *testing.B) {
		r := mustRules(b, rules...)
		b.ReportAllocs()
		for b.Loop() {
			r.evaluate(prefix)
		}
	})
}
