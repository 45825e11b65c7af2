// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// maxKnownPrefixes is how many prefixes are remembered with the labels that the rules make of them.
// Firewalls have fewer; prefixes of free text can be more.
const maxKnownPrefixes = 4096

// prefixRules make labels of prefixes. They can be used by several goroutines.
type prefixRules struct {
	names []string
	rules []compiledRule

	mu    sync.Mutex // guards known
	known map[string]prefixLabels
}

// prefixLabels are what the rules make of a prefix.
type prefixLabels struct {
	prefix string
	values []string
}

func newPrefixRules(rules []PrefixRule) (*prefixRules, error) {
	r := &prefixRules{known: make(map[string]prefixLabels)}
	names := make(map[string]bool)
	for i, rule := range rules {
		c, mistakes := rule.compile()
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

// labelNames returns the names of all labels that the rules make, sorted.
func (r *prefixRules) labelNames() []string { return r.names }

// apply returns what the label prefix and the labels of labelNames are for the prefix of a rule in
// the firewall. A label is empty where the first rule that matches does not make it, or none matches.
// The values must not be written to.
func (r *prefixRules) apply(raw string) (prefix string, values []string) {
	if len(r.rules) == 0 {
		return prefixLabel(raw), nil
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

func (r *prefixRules) evaluate(raw string) prefixLabels {
	l := prefixLabels{prefix: prefixLabel(raw), values: make([]string, len(r.names))}
	trimmed := strings.TrimRight(raw, whiteSpace)
	for _, rule := range r.rules {
		groups := rule.match.FindStringSubmatchIndex(trimmed)
		if groups == nil {
			continue
		}
		for i, name := range r.names {
			l.values[i] = rule.labels[name].expand(trimmed, groups)
		}
		if rule.prefix != nil {
			l.prefix = strings.TrimRight(rule.prefix.expand(trimmed, groups), whiteSpace)
		}
		break
	}
	return l
}
