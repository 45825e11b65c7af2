// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A series is the identity of an exposed series: its labels and its creation time. It is immutable.
type series struct {
	values  []string         // of the labels
	labels  []*dto.LabelPair // sorted by name
	created *timestamppb.Timestamp
}

func newSeries(descs labelDescs, values []string, created *timestamppb.Timestamp) *series {
	s := &series{values: values, labels: make([]*dto.LabelPair, len(descs)), created: created}
	for i := range descs {
		s.labels[i] = &dto.LabelPair{Name: &descs[i].name, Value: &values[i]}
	}
	return s
}

// compare orders series as they are exposed.
func (s *series) compare(values []string) int { return slices.Compare(s.values, values) }

// A labelSet counts the packets with one combination of label values. The table's lock guards it, except for exposed.
// series changes only while the gatherer's lock is held, too, so either lock is enough to read it; overflow never changes.
type labelSet struct {
	packets, bytes uint64

	sizes       *histogram // that counts the packets, too; nil without a histogram
	lastLength  uint32     // of a packet in sizes; 0 before the first
	lastCounter *uint64    // of sizes, for lastLength

	seenPackets uint64    // at the last snapshot
	seenActive  time.Time // of the last snapshot with more packets than the one before; zero before the first

	series   *series
	overflow overflowStep
	prefixes []string // of the firewall rules that log the packets; maxPrefixes of them stand for any
	stale    bool     // since a reload, packets of rules with these prefixes have other labels

	exposed exposedSet
}

// maxPrefixes is how many prefixes a label set remembers. Most have one. With prefix rules, some have many.
const maxPrefixes = 8

// addPrefix remembers the prefix of a firewall rule that logs packets of the label set.
func (s *labelSet) addPrefix(prefix string) {
	if s.overflow != overflowFully && len(s.prefixes) < maxPrefixes && !slices.Contains(s.prefixes, prefix) {
		s.prefixes = append(s.prefixes, prefix)
	}
}

// An exposedSet is what the gatherer keeps of a label set from scrape to scrape. It belongs to the gatherer, under the
// gatherer's lock. interfaces is set before the label set is published.
type exposedSet struct {
	packetsMetric, bytesMetric counterMetric

	interfaces   []string  // named by the labels; never changed
	packets      uint64    // when last looked at
	idleSince    time.Time // when packets was first seen at that value
	missingSince time.Time // when an interface was first seen missing, without a packet since; zero if none is
	recorded     uint64    // packets that the history of its prefix has
}

// An overflowStep is how many labels were given up for lack of room.
type overflowStep int

const (
	overflowNone   overflowStep = iota
	overflowPartly              // all that senders of packets can choose, see label.keptInOverflow
	overflowFully               // all labels but the group
	overflowSteps
)

// A histogram counts packets by size. It may have fewer labels than the counters, so several label sets can share it. The
// table's lock guards it, except for metric, which belongs to the gatherer. series is as in labelSet.
type histogram struct {
	sizeCounts

	series *series
	sets   int // how many label sets count in it

	metric histogramMetric
}
