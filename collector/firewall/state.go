// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A State is what is known of the firewall rules that log in one network namespace.
type State struct {
	NetNS  string // as in Namespace
	Known  bool   // whether anything is known
	Reason string // why nothing is known, or why it gets no newer, in words; empty if all is well

	Read    time.Time // when the rules were last known to be like this
	Counted time.Time // as of when Packets and Unread are
	Changes uint64    // of the ruleset, since it was first read
	Changed time.Time // when the last of them was seen; zero without one

	Rules   []Rule         // in the order of the ruleset, of all groups, at most ruleset.MaxRules
	Further map[uint16]int // how many further rules log, by group
}

// A Rule is a firewall rule that logs to an NFLOG group. Its strings are escaped, as labels are.
type Rule struct {
	Family  string // nft's word
	Table   string
	Chain   string
	Hook    string // nft's word, empty if the chain is not a base chain
	Handle  uint64 // as nft -a shows it
	Comment string

	Group     uint16
	Prefix    string // as the label prefix reads
	Threshold uint16 // packets of a batch at most; 0 for no threshold of its own
	Snaplen   uint32 // bytes copied of a packet at most; 0 for no limit of its own
	Limit     string // what lets only some of the matching packets through to the log, in words; empty for nothing

	Counted bool   // whether the rule has a counter of what it matches, before any limit
	Packets uint64 // by that counter
	Unread  bool   // whether no socket is bound to the group
}

// state returns what is known of the firewall. own are the groups that the caller itself has bound. The caller holds the
// lock of Firewalls.
func (f *firewall) state(own map[Group]bool) State {
	s := State{NetNS: f.netns, Reason: f.currentReason()}
	facts := f.known.Facts()
	if facts == nil {
		return s
	}
	s.Known, s.Read, s.Counted, s.Changes, s.Changed, s.Further = true, facts.Read, facts.Counted, facts.Changes, facts.Changed, facts.Folded
	s.Rules = make([]Rule, len(facts.Rules))
	for i := range facts.Rules {
		r := &facts.Rules[i]
		label, _ := f.labels.Prefixes.Apply(r.Prefix)
		s.Rules[i] = Rule{
			Family:    r.Family.String(),
			Table:     prefix.Escape(r.Table),
			Chain:     prefix.Escape(r.ChainName()),
			Hook:      hookOf(r),
			Handle:    r.Handle,
			Comment:   prefix.Escape(r.Comment),
			Group:     r.Group,
			Prefix:    label,
			Threshold: r.Threshold,
			Snaplen:   r.Snaplen,
			Limit:     r.Limit,
			Counted:   r.Counted,
			Packets:   facts.Packets[i],
			Unread:    f.isUnread(r.Group, facts, own),
		}
	}
	return s
}

// hookOf returns nft's word for the hook of a rule's chain.
func hookOf(r *ruleset.Rule) string {
	family := r.Family
	if family == ruleset.INet { // its hooks are those of IPv4 and IPv6
		family = ruleset.IPv4
	}
	if r.Hook < 0 || r.Hook > 255 {
		return ""
	}
	origin := nflog.Origin{Family: nflog.Family(family), Hook: uint8(r.Hook)}
	return origin.HookName()
}

// currentReason returns why nothing is known, or why it gets no newer.
func (f *firewall) currentReason() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reason
}
