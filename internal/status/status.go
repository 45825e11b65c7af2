// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package status says what a person wants to know of the exporter: what is wrong and what helps, what each group does, what is
// logged. The page, /status.json and /-/ready say the same, because they take it from here.
package status

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// A Status is what the exporter says of itself. The names of its fields in JSON are documented in docs/page.md, and stay.
type Status struct {
	Time     time.Time  `json:"time"`
	Verdict  Verdict    `json:"verdict"`
	Problems []*Problem `json:"problems"` // worst first

	Exporter Exporter       `json:"exporter"`
	Config   *Configuration `json:"configuration"` // nil without a file
	Settings []Setting      `json:"settings"`

	Totals   Totals    `json:"totals"`
	Groups   []*Group  `json:"groups"`   // those with the worst problems first, else as configured
	Prefixes []*Prefix `json:"prefixes"` // those with most packets in the last minute first

	UnusedPrefixRules []string `json:"unused_prefix_rules"` // of the configuration, that apply to no rule

	ByPrefix      bool       `json:"by_prefix"`      // whether packets are counted by prefix
	OtherPrefixes uint64     `json:"other_prefixes"` // packets of prefixes that are not among Prefixes
	Rulesets      []*Ruleset `json:"rulesets"`       // nil if the rules are not looked at
}

// A Verdict is the one sentence, and what helps.
type Verdict struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Cure  string `json:"cure"`
}

// An Exporter is what program this is.
type Exporter struct {
	Version string    `json:"version"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
}

// A Setting is a setting in force.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

// A Configuration is the state of the configuration file.
type Configuration struct {
	File       string     `json:"file"`
	Successful bool       `json:"last_reload_successful"`
	Applied    time.Time  `json:"last_reload_success"`
	Tried      *time.Time `json:"last_reload_failure"` // of the last attempt, if it failed
	Err        string     `json:"last_reload_error"`
}

// Totals are the sums over all groups.
type Totals struct {
	Groups           int       `json:"groups"`
	GroupsRead       int       `json:"groups_read"`
	GroupsWell       int       `json:"groups_well"` // without a problem that is more than a hint
	Packets          uint64    `json:"packets"`
	Lost             uint64    `json:"lost"`
	Forgotten        uint64    `json:"forgotten"`
	PacketsPerSecond float64   `json:"packets_per_second"`
	CountedSince     time.Time `json:"counted_since"`
}

// A Name names a group.
type Name struct {
	Group uint16 `json:"group"`
	NetNS string `json:"netns"` // empty for the exporter's own network namespace
}

// String returns the name in words.
func (n Name) String() string {
	if n.NetNS != "" {
		return fmt.Sprintf("group %d in %s", n.Group, n.NetNS)
	}
	return fmt.Sprintf("group %d", n.Group)
}

// A Group is the state of a group.
type Group struct {
	Name
	State    string     `json:"state"` // bound, not_bound or not_tried
	Level    Level      `json:"level"` // of the worst problem
	Words    string     `json:"words"` // the state, in a few
	Since    time.Time  `json:"since"`
	Reason   string     `json:"reason"`   // why the group is not bound
	Problems []*Problem `json:"problems"` // of this group, worst first

	Packets      uint64     `json:"packets"`
	Lost         uint64     `json:"lost"`
	LostLately   uint64     `json:"lost_last_10_minutes"`
	LastLost     *time.Time `json:"last_lost"`
	SocketDrops  uint64     `json:"socket_drops"`
	LastDrop     *time.Time `json:"last_socket_drop"`
	DecodeErrors uint64     `json:"decode_errors"`
	Forgotten    uint64     `json:"forgotten"`
	Overflow     uint64     `json:"overflow"`
	LastOverflow *time.Time `json:"last_overflow"`
	Binds        uint64     `json:"binds"`
	Datagrams    uint64     `json:"datagrams"`
	LastPacket   *time.Time `json:"last_packet"`

	PacketsPerSecond   float64  `json:"packets_per_second"`   // in the last 10 to 20 seconds
	PacketsPerDatagram *float64 `json:"packets_per_datagram"` // in the last minute; nil without any

	SocketBuffer   uint32 `json:"socket_buffer_bytes"`
	SocketQueued   uint32 `json:"socket_queued_bytes"`
	LabelSets      int    `json:"label_sets"`
	LabelSetsLimit int    `json:"label_sets_limit"`

	Rules   *int  `json:"rules"` // that log to the group; nil if they are not known
	History Curve `json:"history"`

	lately collector.GroupStatus
}

// A Curve is what was counted in the last steps, oldest first.
type Curve struct {
	Step    int      `json:"step_seconds"`
	Packets []uint32 `json:"packets"`
	Lost    []uint32 `json:"lost,omitempty"`
}

// A Prefix is what was logged with a prefix.
type Prefix struct {
	Name
	Prefix           string    `json:"prefix"`
	Packets          uint64    `json:"packets"`            // since it was first seen
	PacketsPerSecond float64   `json:"packets_per_second"` // in the last minute
	Share            float64   `json:"share"`              // of the packets of all prefixes in the last minute
	FirstSeen        time.Time `json:"first_seen"`
	LastSeen         time.Time `json:"last_seen"`
	New              bool      `json:"new"` // first seen in the last hour, though packets were counted before

	Hooks         []string `json:"hooks"` // of the label sets with most packets, as what follows
	InInterfaces  []string `json:"in_interfaces"`
	OutInterfaces []string `json:"out_interfaces"`
	Protocols     []string `json:"protocols"`

	Rules   *int  `json:"rules"` // with this prefix; nil if they are not known
	History Curve `json:"history"`

	minute uint64
}

// A Ruleset is what is known of the rules that log, in a network namespace.
type Ruleset struct {
	NetNS   string     `json:"netns"`
	Known   bool       `json:"known"`
	Err     string     `json:"error"` // why they are not known, or why what is known gets no newer
	Read    *time.Time `json:"read"`
	Changed *time.Time `json:"last_change"`
	Changes uint64     `json:"changes"`
	Rules   []*Rule    `json:"rules"`
	Folded  int        `json:"folded"` // rules that are not listed
}

// A Rule is a rule that logs.
type Rule struct {
	Group     uint16  `json:"group"`
	Prefix    string  `json:"prefix"`
	Family    string  `json:"family"`
	Table     string  `json:"table"`
	Chain     string  `json:"chain"`
	Hook      string  `json:"hook"`
	Handle    uint64  `json:"handle"`
	Comment   string  `json:"comment"`
	Threshold uint16  `json:"queue_threshold"`
	Limit     string  `json:"limit"`
	Packets   *uint64 `json:"packets"` // that it matched; nil if it has no counter
	Unread    bool    `json:"unread"`  // no socket is bound to its group
}

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
