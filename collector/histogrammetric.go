// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import dto "github.com/prometheus/client_model/go"

// A histogramMetric is a histogram of packet sizes, classic and native at once. It is the gatherer's. All its
// counts are sums of the same integers.
type histogramMetric struct {
	metric    dto.Metric
	histogram dto.Histogram
	count     uint64
	sum       float64
	classic   []classicBucket
	spans     []*nativeSpan // of which the histogram has the first
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

// update returns the metric with the values of a snapshot's histogram, whose pages are given.
func (m *histogramMetric) update(s *histogramSnapshot, scale *sizeScale, pages []sizePage) *dto.Metric {
	h := &m.histogram
	if m.metric.Histogram == nil {
		m.metric.Histogram = h
		h.CreatedTimestamp, h.SampleCount, h.SampleSum = s.created, &m.count, &m.sum
		h.Schema, h.ZeroThreshold, h.ZeroCount = &scale.nativeSchema, &scale.zeroThreshold, &scale.zeroCount
		m.classic = make([]classicBucket, len(scale.bounds))
		for i := range m.classic {
			b := &m.classic[i]
			b.bucket.CumulativeCount, b.bucket.UpperBound = &b.cumulative, &scale.upperBounds[i]
			h.Bucket = append(h.Bucket, &b.bucket)
		}
	}
	m.metric.Label, m.sum = s.labels, float64(s.sum)
	for i := range m.classic {
		m.classic[i].cumulative = 0
	}
	m.addCells(s, scale, pages)
	for i := 1; i < len(m.classic); i++ {
		m.classic[i].cumulative += m.classic[i-1].cumulative
	}
	return &m.metric
}

// addCells makes the native buckets, and counts in the classic ones.
func (m *histogramMetric) addCells(s *histogramSnapshot, scale *sizeScale, pages []sizePage) {
	h := &m.histogram
	m.count, h.PositiveDelta, h.PositiveSpan = 0, h.PositiveDelta[:0], h.PositiveSpan[:0]
	next := int32(0)  // index of the native bucket after the last one
	last := uint64(0) // count of the last one
	var span *nativeSpan
	for cell, n := range s.cells(pages) {
		m.count += n
		c := &scale.cells[cell]
		if c.classic < len(m.classic) {
			m.classic[c.classic].cumulative += n
		}
		switch {
		case span != nil && c.native == next-1: // a classic bound lies in the bucket
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

// newSpan returns one more span of the histogram, of one bucket.
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
