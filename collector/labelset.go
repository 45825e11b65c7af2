// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"
)

// A series is the identity of an exposed series: its labels and its creation time. It is immutable.
type series struct {
	values  string       // of the labels, see labelValues.join
	created int64        // nanoseconds since 1970
	total   *prefixTotal // that packets of a label set add to; nil if packets are not counted by prefix
}

// A labelSet counts the packets with one combination of label values. The table's lock guards it. What a scrape needs beside
// the counts changes only while the gatherer's lock is held, too, so either lock is enough to read it. There may be a million
// label sets, so it is small.
type labelSet struct {
	packets, bytes uint64

	sizes      *histogram // that counts the packets, too; nil without a histogram
	lastLength uint32     // of a packet in sizes; 0 before the first
	lastTag    sizeTag    // of lastLength

	overflow overflowStep // never changes
	stale    bool         // since a reload, packets of rules with these prefixes have other labels

	prefixes []string // of the firewall rules that log the packets; maxPrefixes of them stand for any

	// For a scrape.
	series       *series
	interfaces   []string // named by the labels; never changed
	seenPackets  uint64   // at the last snapshot
	seenActive   moment   // of the last snapshot with more packets than the one before; never before the first
	missingSince moment   // when an interface was first seen missing, without a packet since; never if none is
}

// maxPrefixes is how many prefixes a label set remembers. Most have one. With prefix rules, some have many.
const maxPrefixes = 8

// addPrefix remembers the prefix of a firewall rule that logs packets of the label set.
func (s *labelSet) addPrefix(prefix string) {
	if s.overflow != overflowFully && len(s.prefixes) < maxPrefixes && !slices.Contains(s.prefixes, prefix) {
		s.prefixes = append(s.prefixes, prefix)
	}
}

// An overflowStep is how many labels were given up for lack of room.
type overflowStep uint8

const (
	overflowNone   overflowStep = iota
	overflowPartly              // all that senders of packets can choose, see label.keptInOverflow
	overflowFully               // all labels but the group; these label sets are one series, and apart by prefix
	overflowSteps
)

// A histogram counts packets by size. It may have fewer labels than the counters, so several label sets can share it. The
// table's lock guards it. series is as in labelSet.
type histogram struct {
	sizeCounts
	sets      int32  // how many label sets count in it
	sum       uint64 // of the sizes, at the last snapshot: that of the label sets' bytes
	forgotten uint64 // bytes of label sets that were forgotten
	series    *series
}

// A moment is a time, in nanoseconds since its table was made, by the clock that nobody sets. It takes a third of the memory of
// a [time.Time].
type moment int64

// never is a moment that has not come.
const never moment = 0

// moment returns the moment of a time.
func (t *table) moment(at time.Time) moment { return max(never+1, moment(at.Sub(t.started))) }

// passed reports whether a timeout has passed since a moment. A zero timeout never passes.
func passed(since moment, timeout time.Duration, now moment) bool {
	return since != never && timeout > 0 && time.Duration(now-since) >= timeout
}
