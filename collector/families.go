// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A family is all metrics of one name.
type family struct {
	desc *prometheus.Desc
	dto  *dto.MetricFamily // with the metrics of the gathering under way
}

// families are all that there are.
type families struct {
	all []*family // sorted by name

	packets, bytes, packetSize *family

	up, binds, bindFailures       *family
	boundTimestamp, lastTimestamp *family
	lost, socketDrops             *family
	receiveErrors, decodeErrors   *family
	unknownAttributes, datagrams  *family
	socketBuffer, socketQueued    *family
	labelSets, labelSetsLimit     *family
	overflow, forgotten           *family
}

// newFamilies returns the families of metrics with the labels of a schema.
func newFamilies(s *schema) *families {
	f := &families{}
	add := func(name, help string, typ dto.MetricType, labels []string) *family {
		name = "nflog_" + name
		added := &family{
			desc: prometheus.NewDesc(name, help, labels, nil),
			dto:  &dto.MetricFamily{Name: &name, Help: &help, Type: &typ},
		}
		f.all = append(f.all, added)
		return added
	}
	counter := func(name, help string, labels ...string) *family {
		return add(name, help, dto.MetricType_COUNTER, append(s.groupColumns.names(), labels...))
	}
	gauge := func(name, help string) *family {
		return add(name, help, dto.MetricType_GAUGE, s.groupColumns.names())
	}

	f.packets = add("packets_total",
		"Packets logged, counted once for each rule that logged them.", dto.MetricType_COUNTER, s.columns.names())
	const length = "Length of the packets logged, at the network layer. Packets whose length can't be known are not in it."
	f.bytes = add("bytes_total", length, dto.MetricType_COUNTER, s.columns.names())
	f.packetSize = add("packet_size_bytes", length, dto.MetricType_HISTOGRAM, s.histogram.names())

	f.up = gauge("up",
		"Whether the group is bound, so that its packets are counted.")
	f.binds = counter("binds_total",
		"Successful bindings of the group. Packets logged between one and the next are not known to anybody.")
	f.bindFailures = counter("bind_failures_total",
		"Failed attempts to bind the group, by what stood in the way.", "reason")
	f.boundTimestamp = gauge("bound_timestamp_seconds",
		"When the current binding of the group began, in seconds since 1970; 0 while it is not bound.")
	f.lastTimestamp = gauge("last_packet_timestamp_seconds",
		"When packets of the group were last received, in seconds since 1970; absent before the first.")
	f.lost = counter("lost_packets_total",
		"Packets lost between kernel and exporter, as their sequence numbers show with the next packet received.")
	f.socketDrops = counter("socket_drops_total",
		"Datagrams, of many packets each, that the kernel dropped because the socket's buffer was full.")
	f.receiveErrors = counter("receive_errors_total",
		"Failed reads of the socket, by how they failed.", "reason")
	f.decodeErrors = counter("decode_errors_total",
		"Messages, attributes and network headers of packets that could not be decoded.", "reason")
	f.unknownAttributes = counter("unknown_attributes_total",
		"Attributes of a type that the exporter does not know and ignores.")
	f.datagrams = counter("datagrams_total",
		"Datagrams read. Packets by datagram tell how well the kernel can batch them.")
	f.socketBuffer = gauge("socket_buffer_bytes",
		"Size of the socket's receive buffer as the kernel accounts for it, twice what was asked for; 0 while the group is not bound.")
	f.socketQueued = gauge("socket_queued_bytes",
		"Fill of the socket's receive buffer as the kernel accounts for it; 0 while the group is not bound.")
	f.labelSets = gauge("label_sets",
		"Combinations of label values under which packets of the group are counted.")
	f.labelSetsLimit = gauge("label_sets_limit",
		"How many combinations of label values there may be before packets are counted under __overflow__: in up to a tenth more of them without interfaces and extra labels, then in one more.")
	f.overflow = counter("overflow_packets_total",
		"Packets that were counted under __overflow__ because the group has as many label sets as it may.")
	f.forgotten = counter("forgotten_packets_total",
		"Packets that are no more in nflog_packets_total, because their combination of label values was forgotten.")

	slices.SortFunc(f.all, func(a, b *family) int { return strings.Compare(a.dto.GetName(), b.dto.GetName()) })
	return f
}

// clear removes all metrics.
func (f *families) clear() {
	for _, family := range f.all {
		family.dto.Metric = family.dto.Metric[:0]
	}
}

// dtos returns the families in which there are metrics.
func (f *families) dtos() []*dto.MetricFamily {
	var dtos []*dto.MetricFamily
	for _, family := range f.all {
		if len(family.dto.Metric) > 0 {
			dtos = append(dtos, family.dto)
		}
	}
	return dtos
}

func (f *family) add(m *dto.Metric) { f.dto.Metric = append(f.dto.Metric, m) }
