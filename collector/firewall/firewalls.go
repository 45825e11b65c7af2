// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package firewall tells which firewall rules log in the network namespaces that are read, as metrics and in words.
package firewall

import (
	"context"
	"slices"
	"sync"

	"github.com/go-kit/log"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

// A Namespace is a network namespace whose firewall rules are looked at.
type Namespace struct {
	Name   string // as [namespace.Open] takes it
	Groups []uint16
	Labels *Labels
}

// Labels make the labels of the metrics of a namespace.
type Labels struct {
	Prefixes *prefix.Rules
	OfGroup  func(group string) []*dto.LabelPair
	OfAll    []*dto.LabelPair // of metrics about the whole ruleset
}

// A Group is a group of a namespace.
type Group struct {
	NetNS  string
	Number uint16
}

// Firewalls are what is known of the firewall rules of all namespaces.
type Firewalls struct {
	logger   log.Logger
	watchers sync.WaitGroup

	mu      sync.Mutex // guards what follows
	all     []*firewall
	check   prefixCheck
	running context.Context // of Run, while it runs
}

// New returns firewalls without any namespace.
func New(logger log.Logger) *Firewalls { return &Firewalls{logger: logger} }

// Run keeps what is known up to date until the context is done.
func (f *Firewalls) Run(ctx context.Context) {
	f.mu.Lock()
	f.running = ctx
	for _, one := range f.all {
		f.start(one)
	}
	f.mu.Unlock()

	<-ctx.Done()
	f.mu.Lock()
	f.running = nil
	f.mu.Unlock()
	f.watchers.Wait()
}

// start starts to look at the rules of a namespace. The caller holds mu.
func (f *Firewalls) start(one *firewall) {
	var ctx context.Context
	ctx, one.stop = context.WithCancel(f.running)
	f.watchers.Go(func() { one.run(ctx) })
}

// Apply looks at the rules of other namespaces, by other prefix rules of the configuration. What is known of a namespace stays
// known.
func (f *Firewalls) Apply(namespaces []Namespace, rules []prefix.Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.all
	f.all = nil
	for _, n := range namespaces {
		one := find(old, n.Name)
		if one == nil {
			one = newFirewall(n.Name, f.logger, f.checkPrefixRules)
			if f.running != nil {
				f.start(one)
			}
		}
		one.labels, one.groups = n.Labels, n.Groups
		f.all = append(f.all, one)
	}
	for _, one := range old {
		if !slices.Contains(f.all, one) && one.stop != nil {
			one.stop()
		}
	}
	if len(namespaces) > 0 {
		f.check.apply(rules, namespaces[0].Labels.Prefixes)
		f.check.check(f.all, f.logger)
	}
}

// find returns the firewall of a namespace, or nil.
func find(firewalls []*firewall, netns string) *firewall {
	if i := slices.IndexFunc(firewalls, func(f *firewall) bool { return f.netns == netns }); i >= 0 {
		return firewalls[i]
	}
	return nil
}

// checkPrefixRules compares the prefix rules with the firewall rules, which have changed.
func (f *Firewalls) checkPrefixRules() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.check.check(f.all, f.logger)
}

// UnusedPrefixRules returns the expressions of the prefix rules that apply to no firewall rule that logs to the groups. It is empty
// as long as not all firewall rules are known.
func (f *Firewalls) UnusedPrefixRules() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.check.unused)
}

// States returns what is known, for each namespace. own are the groups that the caller itself has bound.
func (f *Firewalls) States(own map[Group]bool) []State {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := make([]State, len(f.all))
	for i, one := range f.all {
		states[i] = one.state(own)
	}
	return states
}

// Prefixes are the prefixes that rules of a namespace have, by group. They never change.
type Prefixes struct{ of map[uint16][]string }

// Of returns the prefixes of the rules that log to a group, as the label prefix reads.
func (p *Prefixes) Of(group uint16) []string { return p.of[group] }

// Prefixes returns the prefixes that rules of a namespace have: the same ones as long as nothing has changed, and nil if no rules
// are known.
func (f *Firewalls) Prefixes(netns string) *Prefixes {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := find(f.all, netns)
	if one == nil {
		return nil
	}
	facts := one.known.Peek()
	if facts == nil {
		return nil
	}
	if p := &one.prefixes; p.of == nil || p.by != one.labels || !sameSlice(p.rules, facts.Rules) {
		*p = rulePrefixes{facts.Rules, one.labels, prefixesOf(facts.Rules, one.labels)}
	}
	return one.prefixes.of
}

// rulePrefixes are the prefixes of rules.
type rulePrefixes struct {
	rules []ruleset.Rule
	by    *Labels
	of    *Prefixes // nil before the first
}

func prefixesOf(rules []ruleset.Rule, by *Labels) *Prefixes {
	p := &Prefixes{of: make(map[uint16][]string)}
	for i := range rules {
		label, _ := by.Prefixes.Apply(rules[i].Prefix)
		p.of[rules[i].Group] = append(p.of[rules[i].Group], label)
	}
	for group, labels := range p.of {
		slices.Sort(labels)
		p.of[group] = slices.Compact(labels)
	}
	return p
}

// Gather adds the metrics of all namespaces. They are valid until the next Gather. own are the groups that the caller itself has
// bound.
func (f *Firewalls) Gather(to *Families, own map[Group]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.all {
		if facts := one.known.Facts(); facts != nil {
			one.exposed.update(facts, one.labels, one.groups)
			one.gather(to, facts, own)
		}
	}
}

// Pretend makes these facts known of a namespace, whatever its rules are. It is for tests.
func (f *Firewalls) Pretend(netns string, facts *ruleset.Facts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	find(f.all, netns).known = fixedRules{facts}
}

// fixedRules are made up.
type fixedRules struct{ facts *ruleset.Facts }

// Facts implements knownRules.
func (f fixedRules) Facts() *ruleset.Facts { return f.facts }

// Peek implements knownRules.
func (f fixedRules) Peek() *ruleset.Facts { return f.facts }
