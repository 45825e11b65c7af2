// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import dto "github.com/prometheus/client_model/go"

// A counterMetric is the metric of a label set's counter. It is made once, and gets a new value for each scrape.
type counterMetric struct {
	metric  dto.Metric
	counter dto.Counter
	value   float64
}

// update returns the metric with a new value.
func (m *counterMetric) update(s *series, value uint64) *dto.Metric {
	if m.metric.Counter == nil {
		m.metric.Counter = &m.counter
		m.counter.Value, m.counter.CreatedTimestamp = &m.value, s.created
	}
	m.metric.Label, m.value = s.labels, float64(value)
	return &m.metric
}

// A histogramMetric is the metric of a histogram, classic and native at once. It is made once, and gets new values for
// each scrape. All its counts are sums of the same integers.
type histogramMetric struct {
	metric    dto.Metric
	histogram dto.Histogram
	count     uint64
	sum       float64
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

// update returns the metric with the values of a snapshot. blocks are those of the snapshot.
func (m *histogramMetric) update(s *histogramSnapshot, layout *bucketLayout, blocks []sizeBlock) *dto.Metric {
	h := &m.histogram
	if m.metric.Histogram == nil {
		m.metric.Histogram = h
		h.CreatedTimestamp, h.SampleCount, h.SampleSum = s.series.created, &m.count, &m.sum
		h.Schema, h.ZeroThreshold, h.ZeroCount = &layout.nativeSchema, &layout.zeroThreshold, &layout.zeroCount
		m.classic = make([]classicBucket, len(layout.bounds))
		for i := range m.classic {
			b := &m.classic[i]
			b.bucket.CumulativeCount, b.bucket.UpperBound = &b.cumulative, &layout.upperBounds[i]
			h.Bucket = append(h.Bucket, &b.bucket)
		}
	}
	m.metric.Label, m.sum = s.series.labels, float64(s.sum)
	for i := range m.classic {
		m.classic[i].cumulative = 0
	}
	m.addSubBuckets(s, layout, blocks)
	for i := 1; i < len(m.classic); i++ {
		m.classic[i].cumulative += m.classic[i-1].cumulative
	}
	return &m.metric
}

// addSubBuckets makes the native buckets, and adds up the classic ones.
func (m *histogramMetric) addSubBuckets(s *histogramSnapshot, layout *bucketLayout, blocks []sizeBlock) {
	h := &m.histogram
	m.count, h.PositiveDelta, h.PositiveSpan = 0, h.PositiveDelta[:0], h.PositiveSpan[:0]
	next := int32(0)  // index of the native bucket after the last one
	last := uint64(0) // count of the last one
	var span *nativeSpan
	for i, n := range s.subBuckets(blocks) {
		m.count += n
		c := &layout.subBuckets[i]
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
