// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A series is what tells series apart that a scrape shows. It never changes.
type series struct {
	values  []string         // of the labels
	labels  []*dto.LabelPair // sorted by name
	created *timestamppb.Timestamp
}

// newSeries returns the series of these values of columns.
func newSeries(columns columns, values []string, created *timestamppb.Timestamp) *series {
	s := &series{values: values, labels: make([]*dto.LabelPair, len(columns)), created: created}
	for i := range columns {
		s.labels[i] = &dto.LabelPair{Name: &columns[i].name, Value: &values[i]}
	}
	return s
}

// compare orders series as scrapes show them.
func (s *series) compare(values []string) int { return slices.Compare(s.values, values) }

// A labelSet is what was counted under one combination of labels. The counts are plain numbers, which
// only the reader of the group writes.
type labelSet struct {
	packets, bytes uint64
	sizes          *histogram // that its packets are in, or nil

	*series
	fold       foldStep // how it came about
	interfaces []string // that the labels name

	// What decides when it is forgotten, written by whoever sweeps.
	seen     uint64    // packets when it was looked at last
	idle     time.Time // since when there are no more
	orphaned time.Time // since when one of the interfaces is not there, and no packet came
	expired  bool

	prefixes    []string // of rules whose packets it counts, maxPrefixes for any
	unreachable bool     // these are counted elsewhere since a reload

	packetsMetric, bytesMetric counterMetric
}

// maxPrefixes is how many prefixes a label set remembers. Most have one, those of prefix rules may have many.
const maxPrefixes = 8

// ledBy remembers the prefix of a rule whose packets the label set counts.
func (s *labelSet) ledBy(prefix string) {
	if s.fold != foldAll && len(s.prefixes) < maxPrefixes && !slices.Contains(s.prefixes, prefix) {
		s.prefixes = append(s.prefixes, prefix)
	}
}

// allPresent reports whether the interfaces that the labels name are there.
func (s *labelSet) allPresent(present map[string]bool) bool {
	for _, name := range s.interfaces {
		if !present[name] {
			return false
		}
	}
	return true
}

// A foldStep is how much of a combination of labels was given up for want of room.
type foldStep int

const (
	foldNothing foldStep = iota
	foldExtras           // interfaces and extra labels
	foldAll              // all labels but the group
	foldSteps
)

// A histogram counts the packets of a label set by size, or of several that its own labels don't tell
// apart.
type histogram struct {
	sizeCount

	*series
	sets int // how many label sets count in it

	metric histogramMetric
}
