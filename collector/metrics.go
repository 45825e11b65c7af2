// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// descs are the descriptors of all metrics.
type descs struct {
	packets, bytes, packetSize *prometheus.Desc

	up, binds, bindFailures       *prometheus.Desc
	boundTimestamp, lastTimestamp *prometheus.Desc
	lost, socketDrops             *prometheus.Desc
	receiveErrors, decodeErrors   *prometheus.Desc
	unknownAttributes, datagrams  *prometheus.Desc
	socketBuffer, socketQueued    *prometheus.Desc
	labelSets                     *prometheus.Desc
}

func newDescs() *descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("nflog_"+name, help, labels, nil)
	}
	byGroup := func(name, help string, labels ...string) *prometheus.Desc {
		return desc(name, help, append([]string{"group"}, labels...)...)
	}
	return &descs{
		packets: desc("packets_total",
			"Packets logged, counted once for each rule that logged them.", labelNames...),
		bytes: desc("bytes_total",
			"Length of the packets logged, at the network layer. Packets whose length can't be known are not in it.", labelNames...),
		packetSize: desc("packet_size_bytes",
			"Length of the packets logged, at the network layer. Packets whose length can't be known are not in it.", labelNames...),

		up: byGroup("up",
			"Whether the group is bound, so that its packets are counted."),
		binds: byGroup("binds_total",
			"Successful bindings of the group. Packets logged between one and the next are not known to anybody."),
		bindFailures: byGroup("bind_failures_total",
			"Failed attempts to bind the group, by what stood in the way.", "reason"),
		boundTimestamp: byGroup("bound_timestamp_seconds",
			"When the current binding of the group began, in seconds since 1970; 0 while it is not bound."),
		lastTimestamp: byGroup("last_packet_timestamp_seconds",
			"When packets of the group were last received, in seconds since 1970; absent before the first."),
		lost: byGroup("lost_packets_total",
			"Packets lost between kernel and exporter, as their sequence numbers show with the next packet received."),
		socketDrops: byGroup("socket_drops_total",
			"Datagrams, of many packets each, that the kernel dropped because the socket's buffer was full."),
		receiveErrors: byGroup("receive_errors_total",
			"Failed reads of the socket, by how they failed.", "reason"),
		decodeErrors: byGroup("decode_errors_total",
			"Messages, attributes and network headers of packets that could not be decoded.", "reason"),
		unknownAttributes: byGroup("unknown_attributes_total",
			"Attributes of a type that the exporter does not know and ignores."),
		datagrams: byGroup("datagrams_total",
			"Datagrams read. Packets by datagram tell how well the kernel can batch them."),
		socketBuffer: byGroup("socket_buffer_bytes",
			"Size of the socket's receive buffer as the kernel accounts for it, twice what was asked for; 0 while the group is not bound."),
		socketQueued: byGroup("socket_queued_bytes",
			"Fill of the socket's receive buffer as the kernel accounts for it; 0 while the group is not bound."),
		labelSets: byGroup("label_sets",
			"Combinations of label values under which packets of the group are counted."),
	}
}

func (d *descs) describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		d.packets, d.bytes, d.packetSize,
		d.up, d.binds, d.bindFailures, d.boundTimestamp, d.lastTimestamp,
		d.lost, d.socketDrops, d.receiveErrors, d.decodeErrors, d.unknownAttributes, d.datagrams,
		d.socketBuffer, d.socketQueued, d.labelSets,
	} {
		ch <- desc
	}
}

// A sample is a metric of a label set: its labels are made already.
type sample struct {
	desc *prometheus.Desc
	dto  dto.Metric
}

// Desc implements [prometheus.Metric].
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements [prometheus.Metric].
func (s *sample) Write(m *dto.Metric) error {
	m.Label, m.Counter, m.Histogram = s.dto.Label, s.dto.Counter, s.dto.Histogram
	return nil
}

func counterSample(desc *prometheus.Desc, set *labelSet, value uint64) prometheus.Metric {
	return &sample{desc, dto.Metric{Label: set.labels, Counter: &dto.Counter{
		Value:            new(float64(value)),
		CreatedTimestamp: set.created,
	}}}
}

// histogramSample makes a histogram whose buckets add up to its count, whatever a float can hold
// of its sum.
func histogramSample(desc *prometheus.Desc, set *labelSet, c *counts, bounds []uint32) prometheus.Metric {
	h := &dto.Histogram{
		SampleSum:        new(float64(c.bytes)),
		Bucket:           make([]*dto.Bucket, len(bounds)),
		CreatedTimestamp: set.created,
	}
	var n uint64
	for i, bound := range bounds {
		n += c.buckets[i]
		h.Bucket[i] = &dto.Bucket{CumulativeCount: new(n), UpperBound: new(float64(bound))}
	}
	h.SampleCount = new(n + c.buckets[len(bounds)])
	return &sample{desc, dto.Metric{Label: set.labels, Histogram: h}}
}
