// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"regexp"
	"strings"
	"testing"
)

func TestRuleCheckWarnsOfMatch(t *testing.T) {
	const (
		blank   = "can match nothing: white space at the end of a prefix is cut before"
		length  = "can match nothing: no prefix has more than 127 bytes"
		zero    = "can match nothing: no prefix has such characters"
		glob    = "* repeats the character before it: write .* for any text"
		control = "has a control character: in YAML, write expressions in single quotes"
	)
	tests := []struct {
		match, want string // want is empty for no warning
	}{
		{`fw drop`, ""},
		{`fw drop ?`, ""},
		{`fw drop\s*`, ""},
		{`(fw drop |fw accept)`, ""},
		{`fw .*`, ""},
		{`fw [^a]`, ""},
		{`fw\b`, ""},
		{`(?P<empty>)`, ""},
		{`.{127}`, ""},
		{`(?i)fw`, ""},

		{`fw drop `, blank},
		{`fw drop: $`, blank},
		{`fw drop\s`, blank},
		{`fw drop\s+`, blank},
		{`fw[ \t]{1,3}`, blank},
		{`(?P<zone>fw |lan\t)`, blank},
		{` `, blank},
		{`\Qfw `, blank},

		{`.{128}`, length},
		{strings.Repeat("a", 130) + `.*`, length},
		{`a\x00b`, zero},

		{`fw *`, glob},
		{`fw*`, glob},
		{`fw-*-drop`, glob},
		{`a*|b*`, glob},
		{`drop *from *`, glob},
		{`fw  *drop`, ""}, // any number of blanks
		{`fw-*[a-z]+`, ""},
		{`x*\.`, ""},

		{"\bfw", control},
		{"fw\u202e", control},
		{`“fw”`, "has typographic quotes, which are part of the expression"},
	}
	for _, tt := range tests {
		t.Run(tt.match, func(t *testing.T) {
			mistakes, warnings := Rule{Match: tt.match}.Check(nil)
			got := ""
			for _, w := range warnings {
				_, text, _ := strings.Cut(w.Text, "\": ")
				got += text
			}
			if len(mistakes) > 0 || got != tt.want {
				t.Errorf("unexpected warning: got %q, want %q, mistakes %v", got, tt.want, mistakes)
			}
		})
	}
}

func TestInterfacePatternWarning(t *testing.T) {
	const none = "can match nothing: no interface name has such characters"
	tests := []struct {
		match, want string // want is empty for no warning
	}{
		{`veth.*`, ""},
		{`eth[0-9]*`, ""},
		{`(cali|lxc)[0-9a-f]+`, ""},
		{`.{15}`, ""},
		{`eth0\.[0-9]*`, ""},
		{`.{16}`, "can match nothing: no interface name has more than 15 bytes"},
		{`veth `, none},
		{`veth\s.*`, none},
		{`eth0:1`, none},
		{`a/b`, none},
		{`veth*`, "* repeats the character before it: write .* for any text"},
	}
	for _, tt := range tests {
		t.Run(tt.match, func(t *testing.T) {
			p, err := NewInterfacePattern(tt.match, "x")
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Warning(); got != tt.want {
				t.Errorf("unexpected warning: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPresetsCauseNoWarning checks that the rules of presets can match.
func TestPresetsCauseNoWarning(t *testing.T) {
	for _, name := range Presets() {
		for _, rule := range Preset(name) {
			if _, warnings := rule.Check(nil); len(warnings) > 0 {
				t.Errorf("%s: %v", name, warnings)
			}
		}
	}
}

// FuzzNever checks that what can match nothing matches nothing.
func FuzzNever(f *testing.F) {
	f.Add(`fw\s+`, "fw ")
	f.Add(`fw ?`, "fw")
	f.Add(`(?i)K[^\pL]|\Qa `, "K1")
	f.Add(`(a|b ){3}$`, "ab a")
	f.Fuzz(func(t *testing.T, match, text string) {
		re, err := compileMatch(match)
		if err != nil {
			return
		}
		prefix := strings.TrimRight(text, asciiSpace)
		if len(prefix) <= MaxPrefix && !strings.Contains(prefix, "\x00") && re.MatchString(prefix) && prefixes.never(match) != "" {
			t.Errorf("%q matches %q, but: %s", match, prefix, prefixes.never(match))
		}
		name := regexp.MustCompile(`[\x00/:\s\v]`).ReplaceAllString(text, "")
		if len(name) <= MaxInterface && re.MatchString(name) && interfaceNames.never(match) != "" {
			t.Errorf("%q matches %q, but: %s", match, name, interfaceNames.never(match))
		}
	})
}
