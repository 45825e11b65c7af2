// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOverflowPrefix checks that no prefix reads __overflow__, and that what stands for it stands for no other prefix.
func TestOverflowPrefix(t *testing.T) {
	for raw, want := range map[string]string{
		"__overflow__":       `\x5f_overflow__`,
		"__overflow__ \n":    `\x5f_overflow__`,
		`\x5f_overflow__`:    `\\x5f_overflow__`,
		" __overflow__":      " __overflow__",
		"__overflow__!":      "__overflow__!",
		"__overflow__\u00a0": "__overflow__\u00a0",
		"__OVERFLOW__":       "__OVERFLOW__",
	} {
		if got := labelOf(raw); got != want {
			t.Errorf("the label of %q is %q, want %q", raw, got, want)
		}
	}
}

// TestOverflowRules checks that rules make no label that reads __overflow__, whatever its parts.
func TestOverflowRules(t *testing.T) {
	r := mustRules(t, Rule{
		Match: `(?P<whole>(?P<first>__over)(?P<last>.*))`,
		Labels: map[string]string{
			"joined": "${first}${last}", "fixed": "__overflow__", "longer": "${whole}!", "rest": "__over${last}", "blank": "${whole} ",
		},
		Prefix: "${whole} ",
	})
	const escaped = `\x5f_overflow__`
	want := labelled{escaped, map[string]string{
		"whole": escaped, "first": "__over", "last": "flow__", "joined": escaped, "fixed": escaped, "longer": "__overflow__!", "rest": escaped,
		"blank": "__overflow__ ",
	}}
	if diff := cmp.Diff(want, applyRules(r, "__overflow__ ")); diff != "" {
		t.Errorf("unexpected labels (-want +got):\n%s", diff)
	}
	if got := applyRules(mustRules(t, Rule{Match: "x"}), "__overflow__").Prefix; got != escaped {
		t.Errorf("the prefix is %q where no rule matches", got)
	}
}

// TestOverflowInterfaces checks that no interface reads __overflow__, by its own name or by a pattern.
func TestOverflowInterfaces(t *testing.T) {
	pattern, err := NewInterfacePattern("(a|b)", "__overflow__")
	if err != nil {
		t.Fatal(err)
	}
	const escaped = `\x5f_overflow__`
	for _, r := range []*InterfaceRenamer{NewInterfaceRenamer(nil), NewInterfaceRenamer([]InterfacePattern{pattern})} {
		if got, renamed := r.Rename("__overflow__"); got != escaped || renamed {
			t.Errorf("an interface is %q (renamed: %v)", got, renamed)
		}
	}
	if got, renamed := NewInterfaceRenamer([]InterfacePattern{pattern}).Rename("a"); got != escaped || !renamed {
		t.Errorf("an interface is renamed to %q (renamed: %v)", got, renamed)
	}
}
