// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// labelNames are the labels of the packet counters, in the order of labelValues.
var labelNames = []string{"group", "prefix", "family", "hook", "in_interface", "out_interface", "protocol"}

// labelValues are the values of labelNames but the first, which is the same in the whole table.
type labelValues [6]string

// maxBuckets is how many bounds the histogram may have.
const maxBuckets = 16

// A labelSet is what was counted under one combination of labels.
type labelSet struct {
	counts
	labels  []*dto.LabelPair
	created *timestamppb.Timestamp
}

// counts are plain numbers, which only the reader of the group writes.
type counts struct {
	packets, bytes uint64
	buckets        [maxBuckets + 1]uint64 // packets by length, each but the last up to its bound
}

func newLabelSet(desc *prometheus.Desc, group string, values labelValues, now time.Time) *labelSet {
	return &labelSet{
		labels:  prometheus.MakeLabelPairs(desc, append([]string{group}, values[:]...)),
		created: timestamppb.New(now),
	}
}

// count counts a packet. Its length is 0 where it can't be known.
func (c *counts) count(length uint32, bounds []uint32) {
	c.packets++
	if length == 0 {
		return
	}
	c.bytes += uint64(length)
	i := 0
	for i < len(bounds) && length > bounds[i] {
		i++
	}
	c.buckets[i]++
}
