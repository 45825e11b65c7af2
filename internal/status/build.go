// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// newAfter is how long packets were counted before a prefix can be new, and newFor how long it is.
const (
	newAfter = 5 * time.Minute
	newFor   = time.Hour
)

// About is what else there is to say than what the collector knows.
type About struct {
	Exporter Exporter
	Config   *Configuration
	Settings []Setting
	Sick     error // why the exporter is not healthy
}

// New returns the status.
func New(c collector.Status, about About) *Status {
	s := &Status{
		Time:              c.Time,
		Exporter:          about.Exporter,
		Config:            about.Config,
		Settings:          about.Settings,
		ByPrefix:          c.ByPrefix,
		OtherPrefixes:     c.OtherPackets,
		Problems:          []*Problem{},
		Groups:            []*Group{},
		UnusedPrefixRules: append([]string{}, c.UnusedPrefixRules...),
	}
	s.addRulesets(c.Firewalls)
	for i := range c.Groups {
		s.addGroup(&c.Groups[i])
	}
	s.addPrefixes(c.Prefixes)
	s.findProblems(about.Sick)
	slices.SortStableFunc(s.Groups, func(a, b *Group) int { return worse(a.Problems, b.Problems) })
	s.judge()
	return s
}

// known returns the time, or nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// perSecond returns a rate, to the thousandth.
func perSecond(n uint64, in time.Duration) float64 {
	// In less than a second, a single batch would look like many.
	return round(float64(n) / max(in, time.Second).Seconds())
}

func round(f float64) float64 { return math.Round(f*1000) / 1000 }

func (s *Status) addGroup(c *collector.GroupStatus) {
	g := &Group{
		Name:           Name{c.Group, c.NetNS},
		Since:          c.Since,
		Packets:        c.Packets,
		Lost:           c.Lost,
		LostLately:     c.LostLately,
		LastLost:       known(c.LastLost),
		SocketDrops:    c.SocketDrops,
		LastDrop:       known(c.LastDrop),
		DecodeErrors:   c.DecodeErrors,
		Forgotten:      c.Forgotten,
		Overflow:       c.Overflow,
		LastOverflow:   known(c.LastOverflow),
		Binds:          c.Binds,
		Datagrams:      c.Datagrams,
		LastPacket:     known(c.LastPacket),
		SocketBuffer:   c.SocketBuffer,
		SocketQueued:   c.SocketQueued,
		LabelSets:      c.LabelSets,
		LabelSetsLimit: c.LabelSetsLimit,
		History:        Curve{int(c.Curve.Step.Seconds()), c.Curve.Packets, c.Curve.Lost},
		Problems:       []*Problem{},
		lately:         *c,
	}
	g.PacketsPerSecond = perSecond(c.Now.Packets, c.NowTime)
	if c.Minute.Datagrams > 0 {
		g.PacketsPerDatagram = new(round(float64(c.Minute.Packets) / float64(c.Minute.Datagrams)))
	}
	switch {
	case !c.Tried:
		g.State, g.Words = "not_tried", "not tried yet"
	case c.Bound:
		g.State, g.Words = "bound", "read"
	default:
		g.State, g.Words, g.Reason = "not_bound", "not read", c.Reason
	}
	if rules, ok := s.rules(c.NetNS); ok {
		g.Rules = new(count(rules.Rules, func(r *Rule) bool { return r.Group == g.Group }))
	}
	s.Groups = append(s.Groups, g)

	t := &s.Totals
	t.Groups++
	if c.Bound {
		t.GroupsRead++
	}
	t.Packets += g.Packets
	t.Lost += g.Lost
	t.Forgotten += g.Forgotten
	t.PacketsPerSecond = round(t.PacketsPerSecond + g.PacketsPerSecond)
	if t.CountedSince.IsZero() || c.CountedSince.Before(t.CountedSince) {
		t.CountedSince = c.CountedSince
	}
}

// rules returns the ruleset of a network namespace. It returns false if the rules, or their numbers, are not known.
func (s *Status) rules(netns string) (*Ruleset, bool) {
	for _, r := range s.Rulesets {
		if r.NetNS == netns {
			return r, r.Known && r.Folded == 0
		}
	}
	return nil, false
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

func (s *Status) addPrefixes(all []collector.PrefixStatus) {
	s.Prefixes = make([]*Prefix, 0, len(all))
	var sum uint64
	for i := range all {
		sum += all[i].Minute
	}
	for _, c := range all {
		p := &Prefix{
			Name:             Name{c.Group, c.NetNS},
			Prefix:           c.Prefix,
			Packets:          c.Packets,
			PacketsPerSecond: perSecond(c.Minute, c.MinuteTime),
			FirstSeen:        c.FirstSeen,
			LastSeen:         c.LastSeen,
			New:              s.Time.Sub(c.FirstSeen) < newFor && c.FirstSeen.Sub(s.Totals.CountedSince) >= newAfter,
			History:          Curve{Step: int(c.Curve.Step.Seconds()), Packets: c.Curve.Packets},
			Hooks:            []string{}, InInterfaces: []string{}, OutInterfaces: []string{}, Protocols: []string{},
			minute: c.Minute,
		}
		if sum > 0 {
			p.Share = round(float64(c.Minute) / float64(sum))
		}
		for _, path := range c.Busiest {
			addValue(&p.Hooks, path.Hook)
			addValue(&p.InInterfaces, path.InInterface)
			addValue(&p.OutInterfaces, path.OutInterface)
			addValue(&p.Protocols, path.Protocol)
		}
		if rules, ok := s.rules(c.NetNS); ok {
			p.Rules = new(count(rules.Rules, func(r *Rule) bool { return r.Group == p.Group && r.Prefix == p.Prefix }))
		}
		s.Prefixes = append(s.Prefixes, p)
	}
	slices.SortFunc(s.Prefixes, func(a, b *Prefix) int {
		return cmp.Or(cmp.Compare(b.minute, a.minute), cmp.Compare(b.Packets, a.Packets), cmp.Compare(a.Group, b.Group),
			strings.Compare(a.NetNS, b.NetNS), strings.Compare(a.Prefix, b.Prefix))
	})
}

// addValue adds a value of a label, if there is one and it is not there yet.
func addValue(to *[]string, value string) {
	if value != "" && !slices.Contains(*to, value) {
		*to = append(*to, value)
	}
}

func (s *Status) addRulesets(all []collector.FirewallState) {
	for _, c := range all {
		r := &Ruleset{
			NetNS: c.NetNS, Known: c.Known, Err: c.Reason, Read: known(c.Read), Changed: known(c.Changed), Changes: c.Changes,
			Rules: []*Rule{},
		}
		for _, n := range c.Further {
			r.Folded += n
		}
		for _, rule := range c.Rules {
			to := &Rule{
				Group: rule.Group, Prefix: rule.Prefix, Family: rule.Family, Table: rule.Table, Chain: rule.Chain, Hook: rule.Hook,
				Handle: rule.Handle, Comment: rule.Comment, Threshold: rule.Threshold, Limit: rule.Limit, Unread: rule.Unread,
			}
			if rule.Counted {
				to.Packets = new(rule.Packets)
			}
			r.Rules = append(r.Rules, to)
		}
		s.Rulesets = append(s.Rulesets, r)
	}
}
