// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
)

const (
	// maxPrefixTotals is how many prefixes of a group are counted apart. The packets of others are counted under __overflow__.
	maxPrefixTotals = 2000

	// prefixTimeout is how long a prefix is kept that has no firewall rules any more, and no packets.
	prefixTimeout = 24 * time.Hour
)

// A prefixTotal is all packets of a prefix of a group. Packets are counted in label sets alone, and added up for a scrape. The sum
// over all prefixes is the packets of all label sets and of forgotten ones: what is forgotten remains in others.
type prefixTotal struct {
	prefix string // as the label reads; overflowValue for all prefixes that are not counted apart
	others uint64 // packets that are in no label set; guarded by the table's lock

	// The gatherer's lock guards these.
	series   *series
	packets  uint64    // at the last snapshot
	recorded uint64    // of these, what the history has
	ruled    bool      // a firewall rule has the prefix
	hadRule  bool      // or had it before
	active   time.Time // of the last snapshot with a rule, or with more packets than the one before
}

// prefixTotals are the totals of a table's prefixes, by prefix. They are nil if packets are not counted by prefix. The table's lock
// guards them.
type prefixTotals map[string]*prefixTotal

// full reports whether no more prefixes are counted apart.
func (p prefixTotals) full() bool {
	n := len(p)
	if p[overflowValue] != nil {
		n--
	}
	return n >= maxPrefixTotals
}

// prefixTotal returns the total of a prefix, as the label reads, or nil if packets are not counted by prefix.
func (t *table) prefixTotal(value string, now time.Time) *prefixTotal {
	if t.prefixes == nil {
		return nil
	}
	total := t.prefixes[value]
	switch {
	case total != nil:
	case value != overflowValue && t.prefixes.full():
		return t.prefixTotal(overflowValue, now)
	default:
		total = &prefixTotal{prefix: value, active: now}
		total.series = t.labeling.prefixSeries(value, t.creation(now))
		t.prefixes[value] = total
	}
	return total
}

// prefixSeries returns the series of a prefix.
func (l *labeling) prefixSeries(value string, created int64) *series {
	v := l.groupValues()
	v.values[labelPrefix] = value
	return &series{values: string(v.join(nil, l.ofPrefix)), created: created}
}

// setRules takes note of which prefixes firewall rules have: there are totals of these from now on. The caller holds the
// gatherer's lock.
func (t *table) setRules(rules *firewall.Prefixes, group uint16, now time.Time) {
	if rules == nil || rules == t.rules {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = rules
	for _, total := range t.prefixes {
		total.ruled = false
	}
	for _, value := range rules.Of(group) {
		if total := t.prefixTotal(value, now); total != nil {
			total.ruled, total.hadRule = true, true
		}
	}
}

// A prefixSnapshot is a copy of a total.
type prefixSnapshot struct {
	total           *prefixTotal
	series          *series
	others, packets uint64
}

// addUp completes the copies of totals, once label sets are copied. The caller holds the gatherer's lock.
func (s *tableSnapshot) addUp(now time.Time) {
	slices.SortFunc(s.prefixes, func(a, b prefixSnapshot) int { return strings.Compare(a.total.prefix, b.total.prefix) })
	for i := range s.prefixes {
		p := &s.prefixes[i]
		p.series = p.total.series
		p.packets, p.total.packets = p.total.packets, p.others
	}
	for _, sets := range [][]setSnapshot{s.sets, s.overflowed} {
		for i := range sets {
			if total := sets[i].series.total; total != nil {
				total.packets += sets[i].packets
			}
		}
	}
	for i := range s.prefixes {
		p := &s.prefixes[i]
		if p.packets != p.total.packets || p.total.ruled {
			p.total.active = now
		}
		p.packets = p.total.packets
	}
}

// expirePrefixes forgets prefixes that nothing needs any more, with their label sets, at a snapshot. It reports whether there were
// any. The caller holds the gatherer's lock.
func (t *table) expirePrefixes(s *tableSnapshot, now time.Time) bool {
	var expired []*prefixTotal
	for i := range s.prefixes {
		p := &s.prefixes[i]
		needed := !p.total.hadRule && p.packets != p.others // it has label sets, and its rules may be unknown
		if !needed && p.total.prefix != overflowValue && now.Sub(p.total.active) >= prefixTimeout {
			expired = append(expired, p.total)
		}
	}
	if len(expired) == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetPrefixes(expired, now)
	return true
}

// forgetPrefixes forgets prefixes and their label sets. Their packets are those of __overflow__ from now on.
func (t *table) forgetPrefixes(prefixes []*prefixTotal, now time.Time) {
	overflow := t.prefixTotal(overflowValue, now)
	for _, total := range prefixes {
		if set := t.overflowed[total]; set != nil { // all that overflowed is one series, which must not fall
			all := t.findOverflowed(overflow, now)
			all.packets += set.packets
			all.bytes += set.bytes
			set.packets, set.bytes = 0, 0
		}
	}
	t.evict(func(set *labelSet) bool { return slices.Contains(prefixes, set.series.total) })
	for _, total := range prefixes {
		overflow.others += total.others
		delete(t.prefixes, total.prefix)
	}
}
