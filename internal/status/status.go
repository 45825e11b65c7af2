// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package status says what a person wants to know of the exporter: what is wrong and what helps, what each group does, what is
// logged. The page, /status.json and /-/ready say the same, because they take it from here.
package status

import (
	"fmt"
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
