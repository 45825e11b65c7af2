// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"slices"
	"time"
)

// Facts are what is known of a ruleset. They never change.
type Facts struct {
	// Rules are the rules that log, in the order of the ruleset. They are the same slice as long as they stay the same.
	Rules []Rule

	// Packets are the counters of Rules, 0 for those without one.
	Packets []uint64

	// Folded are the numbers of rules beyond MaxRules, by group.
	Folded map[uint16]int

	// Bound says of each group that Rules log to whether a socket is bound to it.
	Bound map[uint16]bool

	// Read is when the kernel last said that Rules and Folded are up to date. Counted is when it last told Packets and Bound.
	Read, Counted time.Time

	// Changes are how often the ruleset has changed since it was first read, and Changed is when that was last seen, zero before
	// the first time. The change may have been up to Interval earlier.
	Changes uint64
	Changed time.Time
}

// groups returns the groups that rules log to, once each.
func groups(rules []Rule) []uint16 {
	var groups []uint16
	for i := range rules {
		if i == 0 || rules[i].Group != rules[i-1].Group {
			groups = append(groups, rules[i].Group)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}
