// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// maxKnownPrefixes bounds the cache of prefixes with their labels. Firewalls have fewer, but prefixes of free text
// can be any number.
const maxKnownPrefixes = 4096

// Rules turn prefixes into labels. They are safe for concurrent use.
type Rules struct {
	names []string
	rules []compiledRule

	mu    sync.Mutex // guards known
	known map[string]labels
}

// labels are what the rules make of a prefix.
type labels struct {
	prefix string
	values []string
}

// NewRules compiles rules. The error is the first mistake that [Rule.Check] would find, with the same reserved names.
func NewRules(rules []Rule, reserved []string) (*Rules, error) {
	r := &Rules{known: make(map[string]labels)}
	names := make(map[string]bool)
	for i, rule := range rules {
		c, mistakes := rule.compile(reserved)
		if len(mistakes) > 0 {
			return nil, fmt.Errorf("prefix rule %d: %s", i+1, mistakes[0].Text)
		}
		for name := range c.labels {
			names[name] = true
		}
		r.rules = append(r.rules, c)
	}
	r.names = slices.Sorted(maps.Keys(names))
	return r, nil
}

// LabelNames returns the names of all labels that the rules make, sorted. They must not be changed.
func (r *Rules) LabelNames() []string { return r.names }

// Apply returns the value of the label prefix for the prefix of a firewall rule, and those of LabelNames. A value is empty
// where the first rule that matches does not make that label, or none matches. The values must not be changed.
func (r *Rules) Apply(raw string) (prefix string, values []string) {
	if len(r.rules) == 0 {
		return labelOf(raw), nil
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.known[raw]
	if !ok {
		if len(r.known) == maxKnownPrefixes {
			clear(r.known)
		}
		l = r.evaluate(raw)
		r.known[raw] = l
	}
	return l.prefix, l.values
}

func (r *Rules) evaluate(raw string) labels {
	l := labels{prefix: labelOf(raw), values: make([]string, len(r.names))}
	trimmed := strings.TrimRight(raw, asciiSpace)
	n, groups := r.match(trimmed)
	if n < 0 {
		return l
	}
	rule := r.rules[n]
	for i, name := range r.names {
		l.values[i] = notOverflow(rule.labels[name].expand(trimmed, groups))
	}
	if rule.prefix != nil {
		l.prefix = notOverflow(strings.TrimRight(rule.prefix.expand(trimmed, groups), asciiSpace))
	}
	return l
}

// Match returns the number of the rule that applies to the prefix of a firewall rule, from 0, or -1 if none does.
func (r *Rules) Match(raw string) int {
	n, _ := r.match(strings.TrimRight(raw, asciiSpace))
	return n
}

// match returns the number of the first rule that matches a prefix without white space at the end, and the bounds of its
// groups.
func (r *Rules) match(trimmed string) (n int, groups []int) {
	for n, rule := range r.rules {
		if groups := rule.match.FindStringSubmatchIndex(trimmed); groups != nil {
			return n, groups
		}
	}
	return -1, nil
}
