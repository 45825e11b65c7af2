// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

const (
	// maxRuleSeries is how many series the rules of a network namespace have at most, for each of two metrics. Rules of further
	// ones are counted under __overflow__, by group.
	maxRuleSeries = 2000

	// maxRuleGroups is how many groups these rules may log to. Rules that log to further ones are counted under group __overflow__.
	maxRuleGroups = 1000
)

// Labels of the metrics of rules beside those of the group.
const (
	prefixName  = "prefix"
	familyName  = "family"
	tableName   = "table"
	chainName   = "chain"
	commentName = "comment"
)

// RuleLabels returns the names of these labels.
func RuleLabels() []string {
	return []string{prefixName, familyName, tableName, chainName, commentName}
}

// Families are the metrics about rules.
type Families struct {
	Rules, RulePackets, RulesUnread *dto.MetricFamily
	RulesetChanges, RulesetChanged  *dto.MetricFamily
}

// exposedRules are the metrics of the rules of a network namespace. They are made when the rules change, and get new values for
// each scrape.
type exposedRules struct {
	rules   []ruleset.Rule // that the metrics are of
	by      *Labels        // that made their labels
	packets []uint64       // of rules, at the last scrape
	folded  map[uint16]int

	series []*ruleSeries // sorted by labels
	of     []*ruleSeries // of each of rules
	groups []groupRules  // sorted
}

// groupRules are the rules that log to a group.
type groupRules struct {
	group  uint16
	labels []*dto.LabelPair
	rules  int
}

// A ruleSeries is the rules that have the same labels.
type ruleSeries struct {
	key     ruleKey
	labels  []*dto.LabelPair
	rules   float64
	counted bool // a rule has a counter

	// The counters of rules that are gone, and what counters had before they began anew. The sum of that and of the counters of
	// the rules that there are never falls, also if the ruleset is loaded again.
	before uint64
	total  float64
}

// A ruleKey is the values of the labels of a rule's metrics.
type ruleKey struct{ group, prefix, family, table, chain, comment string }

func (k ruleKey) compare(other ruleKey) int {
	return cmp.Or(compareNumbers(k.group, other.group), cmp.Compare(k.prefix, other.prefix), cmp.Compare(k.family, other.family),
		cmp.Compare(k.table, other.table), cmp.Compare(k.chain, other.chain), cmp.Compare(k.comment, other.comment))
}

// compareNumbers compares decimal numbers.
func compareNumbers(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// update brings the metrics up to date. read are the groups of the namespace.
func (e *exposedRules) update(facts *ruleset.Facts, l *Labels, read []uint16) {
	if e.by != l || !sameSlice(e.rules, facts.Rules) || !maps.Equal(e.folded, facts.Folded) {
		e.rebuild(facts, l, read)
	}
	for i, s := range e.of {
		if e.packets[i] > facts.Packets[i] { // the counter was reset
			s.before += e.packets[i]
		}
	}
	e.packets = facts.Packets
	for _, s := range e.series {
		s.total = float64(s.before)
	}
	for i, s := range e.of {
		s.total += float64(facts.Packets[i])
	}
}

func sameSlice(a, b []ruleset.Rule) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// rebuild makes the metrics anew.
func (e *exposedRules) rebuild(facts *ruleset.Facts, l *Labels, read []uint16) {
	b := seriesBuilder{labels: l, series: make(map[ruleKey]*ruleSeries), groups: make(map[uint16]int)}
	for _, group := range read {
		b.groups[group] = 0
	}
	next := exposedRules{
		rules: facts.Rules, by: l, folded: facts.Folded,
		packets: make([]uint64, len(facts.Rules)), of: make([]*ruleSeries, len(facts.Rules)),
	}
	for i := range facts.Rules {
		next.of[i] = b.add(&facts.Rules[i])
	}
	for _, group := range slices.Sorted(maps.Keys(facts.Folded)) {
		n := facts.Folded[group]
		b.overflow(group).rules += float64(n)
		if b.hasRoom(group) {
			b.groups[group] += n
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(b.series), ruleKey.compare) {
		next.series = append(next.series, b.series[key])
	}
	for _, group := range slices.Sorted(maps.Keys(b.groups)) {
		next.groups = append(next.groups, groupRules{group, l.OfGroup(strconv.Itoa(int(group))), b.groups[group]})
	}
	next.continueFrom(e, b.series)
	*e = next
}

// continueFrom carries the counts of series over. A rule that is gone, or has other labels now, leaves its count to its series.
func (e *exposedRules) continueFrom(last *exposedRules, series map[ruleKey]*ruleSeries) {
	for _, s := range last.series {
		if successor := series[s.key]; successor != nil {
			successor.before = s.before
		}
	}
	index := make(map[ruleset.ID]int, len(e.rules))
	for i := range e.rules {
		index[e.rules[i].ID()] = i
	}
	for i, s := range last.of {
		successor := series[s.key]
		at, ok := index[last.rules[i].ID()]
		if ok {
			e.packets[at] = last.packets[i]
		}
		if successor != nil && (!ok || e.of[at] != successor) {
			successor.before += last.packets[i]
		}
	}
}

// A seriesBuilder sorts rules into series.
type seriesBuilder struct {
	labels *Labels
	series map[ruleKey]*ruleSeries
	groups map[uint16]int // rules of each group
}

// add counts a rule, and returns its series.
func (b *seriesBuilder) add(r *ruleset.Rule) *ruleSeries {
	label, _ := b.labels.Prefixes.Apply(r.Prefix)
	key := ruleKey{
		group:   strconv.Itoa(int(r.Group)),
		prefix:  label,
		family:  r.Family.String(),
		table:   prefix.Escape(r.Table),
		chain:   prefix.Escape(r.ChainName()),
		comment: prefix.Escape(r.Comment),
	}
	s := b.series[key]
	switch {
	case s != nil:
	case len(b.series) < maxRuleSeries && b.hasRoom(r.Group):
		s = b.get(key)
	default:
		s = b.overflow(r.Group)
	}
	s.rules++
	s.counted = s.counted || r.Counted
	if b.hasRoom(r.Group) {
		b.groups[r.Group]++
	}
	return s
}

// hasRoom reports whether the group is one of those with series.
func (b *seriesBuilder) hasRoom(group uint16) bool {
	_, ok := b.groups[group]
	if !ok && len(b.groups) < maxRuleGroups {
		b.groups[group], ok = 0, true
	}
	return ok
}

// overflow returns the series of a group's rules that have none of their own.
func (b *seriesBuilder) overflow(group uint16) *ruleSeries {
	const all = prefix.Overflow
	key := ruleKey{strconv.Itoa(int(group)), all, all, all, all, all}
	if !b.hasRoom(group) {
		key.group = all
	}
	return b.get(key)
}

// get returns the series with these labels.
func (b *seriesBuilder) get(key ruleKey) *ruleSeries {
	s := b.series[key]
	if s == nil {
		s = &ruleSeries{key: key, labels: key.labels(b.labels)}
		b.series[key] = s
	}
	return s
}

// labels returns the labels, sorted by name.
func (k ruleKey) labels(l *Labels) []*dto.LabelPair {
	pairs := append(l.OfGroup(k.group),
		&dto.LabelPair{Name: new(prefixName), Value: &k.prefix},
		&dto.LabelPair{Name: new(familyName), Value: &k.family},
		&dto.LabelPair{Name: new(tableName), Value: &k.table},
		&dto.LabelPair{Name: new(chainName), Value: &k.chain},
		&dto.LabelPair{Name: new(commentName), Value: &k.comment},
	)
	slices.SortFunc(pairs, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return pairs
}

// isUnread reports whether nobody reads a group. What the caller itself has bound it knows better than the kernel's last answer.
func (f *firewall) isUnread(group uint16, facts *ruleset.Facts, own map[Group]bool) bool {
	bound, known := facts.Bound[group]
	return known && !bound && !own[Group{f.netns, group}]
}

// gather adds the metrics, which are up to date.
func (f *firewall) gather(to *Families, facts *ruleset.Facts, own map[Group]bool) {
	for _, s := range f.exposed.series {
		add(to.Rules, &dto.Metric{Label: s.labels, Gauge: &dto.Gauge{Value: &s.rules}})
		if s.counted {
			add(to.RulePackets, &dto.Metric{Label: s.labels, Counter: &dto.Counter{Value: &s.total}})
		}
	}
	for i := range f.exposed.groups {
		group := &f.exposed.groups[i]
		unread := 0.0
		if f.isUnread(group.group, facts, own) {
			unread = float64(group.rules)
		}
		add(to.RulesUnread, &dto.Metric{Label: group.labels, Gauge: &dto.Gauge{Value: &unread}})
	}
	labels := f.labels.OfAll
	add(to.RulesetChanges, &dto.Metric{
		Label:   labels,
		Counter: &dto.Counter{Value: new(float64(facts.Changes)), CreatedTimestamp: f.created},
	})
	if !facts.Changed.IsZero() {
		changed := math.Round(float64(facts.Changed.UnixNano())/1e6) / 1e3 // to the millisecond, as Prometheus stores times
		add(to.RulesetChanged, &dto.Metric{Label: labels, Gauge: &dto.Gauge{Value: &changed}})
	}
}

func add(to *dto.MetricFamily, m *dto.Metric) { to.Metric = append(to.Metric, m) }
