// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// metricLabels are the labels of a metric, in memory that is used again for the next one.
type metricLabels struct {
	values []string
	pairs  []dto.LabelPair
	all    []*dto.LabelPair
}

// set returns the labels with values that labelValues.join has joined.
func (m *metricLabels) set(descs labelDescs, values string) []*dto.LabelPair {
	if len(m.all) != len(descs) {
		m.values, m.pairs, m.all = make([]string, len(descs)), make([]dto.LabelPair, len(descs)), make([]*dto.LabelPair, len(descs))
		for i := range m.all {
			m.all[i], m.pairs[i].Value = &m.pairs[i], &m.values[i]
		}
	}
	for i := range descs {
		m.values[i], values, _ = strings.Cut(values, valueEnd)
		m.pairs[i].Name = &descs[i].name
	}
	return m.all
}

// A createdTimestamp is the creation time of a metric.
type createdTimestamp struct{ timestamp timestamppb.Timestamp }

func (c *createdTimestamp) set(nanoseconds int64) *timestamppb.Timestamp {
	const second = 1_000_000_000
	c.timestamp.Seconds, c.timestamp.Nanos = nanoseconds/second, int32(nanoseconds%second)
	return &c.timestamp
}

// A counterMetric is the metric of a label set's counter, in memory that is used again for the next one.
type counterMetric struct {
	metric  dto.Metric
	counter dto.Counter
	value   float64
	created createdTimestamp
	labels  metricLabels
}

// update returns the metric with these labels and this value.
func (m *counterMetric) update(descs labelDescs, s *series, value uint64) *dto.Metric {
	m.value = float64(value)
	m.counter.Value, m.counter.CreatedTimestamp = &m.value, m.created.set(s.created)
	m.metric.Label, m.metric.Counter = m.labels.set(descs, s.values), &m.counter
	return &m.metric
}

// A histogramMetric is the metric of a histogram, classic and native at once, in memory that is used again for the next one.
// All its counts are sums of the same integers.
type histogramMetric struct {
	metric    dto.Metric
	histogram dto.Histogram
	count     uint64
	sum       float64
	created   createdTimestamp
	labels    metricLabels
	classic   []classicBucket
	spans     []*nativeSpan // the first of them are in use
}

type classicBucket struct {
	bucket     dto.Bucket
	cumulative uint64
}

type nativeSpan struct {
	span   dto.BucketSpan
	offset int32
	length uint32
}

// update returns the metric with the labels and values of a histogram. Its counts are sorted by sub-bucket.
func (m *histogramMetric) update(descs labelDescs, s *histogramSnapshot, layout *bucketLayout, counts []sizeCount) *dto.Metric {
	h := &m.histogram
	if m.metric.Histogram == nil {
		m.metric.Histogram = h
		h.SampleCount, h.SampleSum = &m.count, &m.sum
		h.Schema, h.ZeroThreshold, h.ZeroCount = &layout.nativeSchema, &layout.zeroThreshold, &layout.zeroCount
		m.classic = make([]classicBucket, len(layout.bounds))
		for i := range m.classic {
			b := &m.classic[i]
			b.bucket.CumulativeCount, b.bucket.UpperBound = &b.cumulative, &layout.upperBounds[i]
			h.Bucket = append(h.Bucket, &b.bucket)
		}
	}
	m.metric.Label, m.sum = m.labels.set(descs, s.series.values), float64(s.sum)
	h.CreatedTimestamp = m.created.set(s.series.created)
	for i := range m.classic {
		m.classic[i].cumulative = 0
	}
	m.addSubBuckets(layout, counts)
	for i := 1; i < len(m.classic); i++ {
		m.classic[i].cumulative += m.classic[i-1].cumulative
	}
	return &m.metric
}

// addSubBuckets makes the native buckets, and adds up the classic ones.
func (m *histogramMetric) addSubBuckets(layout *bucketLayout, counts []sizeCount) {
	h := &m.histogram
	m.count, h.PositiveDelta, h.PositiveSpan = 0, h.PositiveDelta[:0], h.PositiveSpan[:0]
	next := int32(0)  // index of the native bucket after the last one
	last := uint64(0) // count of the last one
	var span *nativeSpan
	for _, count := range counts {
		if count == 0 {
			continue
		}
		n := count.packets()
		m.count += n
		c := &layout.subBuckets[count.tag()-1]
		if c.classic < len(m.classic) {
			m.classic[c.classic].cumulative += n
		}
		switch {
		case span != nil && c.native == next-1: // a classic bound divides the bucket
			h.PositiveDelta[len(h.PositiveDelta)-1] += int64(n)
			last += n
			continue
		case span != nil && c.native == next:
			span.length++
		default:
			span = m.newSpan(c.native - next)
		}
		h.PositiveDelta = append(h.PositiveDelta, int64(n)-int64(last))
		next, last = c.native+1, n
	}
}

// newSpan adds a span of one bucket to the histogram.
func (m *histogramMetric) newSpan(offset int32) *nativeSpan {
	i := len(m.histogram.PositiveSpan)
	if i == len(m.spans) {
		s := &nativeSpan{}
		s.span.Offset, s.span.Length = &s.offset, &s.length
		m.spans = append(m.spans, s)
	}
	s := m.spans[i]
	s.offset, s.length = offset, 1
	m.histogram.PositiveSpan = append(m.histogram.PositiveSpan, &s.span)
	return s
}
