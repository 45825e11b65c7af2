// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"reflect"
	"slices"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A prefixCheck compares the prefix rules of the configuration with the prefixes of the firewall rules that log to the groups.
type prefixCheck struct {
	rules    []prefix.Rule
	compiled *prefix.Rules
	unused   []string        // prefix rules that apply to no firewall rule, by Match
	warned   map[string]bool // of them, since these rules are in force
}

// apply sets the prefix rules.
func (p *prefixCheck) apply(rules []prefix.Rule, compiled *prefix.Rules) {
	if !reflect.DeepEqual(p.rules, rules) {
		p.warned = make(map[string]bool)
	}
	p.rules, p.compiled, p.unused = rules, compiled, nil
}

// check finds out which prefix rules apply to no firewall rule, and warns of each once: clients can cause reloads, and rules come
// and go. It finds none as long as it does not know all firewall rules, or there are none that log to the groups.
func (p *prefixCheck) check(firewalls []*firewall, logger log.Logger) {
	p.unused = nil
	applied := make([]bool, len(p.rules))
	missing, last := len(p.rules), ""
	known := false
	for _, f := range firewalls {
		facts := f.known.Peek()
		if facts == nil || len(facts.Folded) > 0 {
			return
		}
		for i := range facts.Rules {
			r := &facts.Rules[i]
			if missing == 0 || !slices.Contains(f.groups, r.Group) || known && r.Prefix == last {
				continue
			}
			known, last = true, r.Prefix
			if n := p.compiled.Match(r.Prefix); n >= 0 && !applied[n] {
				applied[n] = true
				missing--
			}
		}
	}
	if !known {
		return
	}
	for i, rule := range p.rules {
		if applied[i] || p.presetApplied(prefix.PresetOf(rule), applied) {
			continue
		}
		p.unused = append(p.unused, rule.Match)
		if p.warned[rule.Match] {
			continue
		}
		p.warned[rule.Match] = true
		level.Warn(logger).Log("msg", "A prefix rule applies to no firewall rule of nf_tables that logs to the groups", "match", rule.Match)
	}
}

// presetApplied reports whether a rule of a preset applies: no firewall has all forms of prefixes that a preset knows.
func (p *prefixCheck) presetApplied(preset string, applied []bool) bool {
	for i, rule := range p.rules {
		if preset != "" && applied[i] && prefix.PresetOf(rule) == preset {
			return true
		}
	}
	return false
}
