// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
)

// A family is the metrics of one name.
type family struct {
	desc *prometheus.Desc
	dto  *dto.MetricFamily // with the metrics of the current scrape, except those of label sets
}

// families are all families of the collector.
type families struct {
	all []*family // sorted by name

	packets, bytes, packetSize *family
	prefixPackets              *family

	up, binds, bindFailures       *family
	boundTimestamp, lastTimestamp *family
	lost, socketDrops             *family
	receiveErrors, decodeErrors   *family
	unknownAttributes, datagrams  *family
	socketBuffer, socketQueued    *family
	labelSets, labelSetsLimit     *family
	overflow, forgotten           *family
	sources, sourcePackets        *family // nil without top sources

	firewall firewall.Families
}

// newFamilies returns the families, whose metrics have the labels of a labeling.
func newFamilies(l *labeling, topSources bool) *families {
	f := &families{}
	add := func(name, help string, typ dto.MetricType, labels []string) *family {
		name = "nflog_" + name
		added := &family{dto: &dto.MetricFamily{Name: &name, Help: &help, Type: &typ}}
		var opts []prometheus.DescOpt
		if unit := unitOf(name); unit != "" {
			added.dto.Unit = &unit
			opts = append(opts, prometheus.WithUnit(unit))
		}
		added.desc = prometheus.V2.NewDesc(name, help, prometheus.UnconstrainedLabels(labels), nil, opts...)
		f.all = append(f.all, added)
		return added
	}
	counter := func(name, help string, labels ...string) *family {
		return add(name, help, dto.MetricType_COUNTER, append(l.ofGroup.names(), labels...))
	}
	gauge := func(name, help string) *family {
		return add(name, help, dto.MetricType_GAUGE, l.ofGroup.names())
	}

	f.packets = add("packets_total",
		"Logged packets, counted once for each rule that logged them.", dto.MetricType_COUNTER, l.ofCounters.names())
	const length = "Length of the logged packets at the network layer. Packets of unknown length are left out."
	f.bytes = add("bytes_total", length, dto.MetricType_COUNTER, l.ofCounters.names())
	f.packetSize = add("packet_size_bytes", length, dto.MetricType_HISTOGRAM, l.ofHistogram.names())
	f.prefixPackets = add("prefix_packets_total",
		"Logged packets by prefix alone, whatever else was forgotten or folded. Each prefix of a firewall rule that is known to log has it from 0.",
		dto.MetricType_COUNTER, l.ofPrefix.names())

	f.up = gauge("up",
		"Whether the group is bound: 1 if its packets are counted, else 0.")
	f.binds = counter("binds_total",
		"Successful bindings of the group. Packets logged between two bindings are not counted anywhere.")
	f.bindFailures = counter("bind_failures_total",
		"Failed attempts to bind the group, by reason.", reasonName)
	f.boundTimestamp = gauge("bound_timestamp_seconds",
		"When the current binding of the group began, in seconds since 1970; absent while it is not bound.")
	f.lastTimestamp = gauge("last_packet_timestamp_seconds",
		"When packets of the group were last received, in seconds since 1970; absent before the first.")
	f.lost = counter("lost_packets_total",
		"Packets lost between kernel and exporter. Their sequence numbers show a loss with the next packet received.")
	f.socketDrops = counter("socket_drops_total",
		"Datagrams, of many packets each, that the kernel dropped because the socket's buffer was full.")
	f.receiveErrors = counter("receive_errors_total",
		"Failed reads of the socket, by reason.", reasonName)
	f.decodeErrors = counter("decode_errors_total",
		"Messages, attributes and network headers of packets that could not be decoded, by reason.", reasonName)
	f.unknownAttributes = counter("unknown_attributes_total",
		"Attributes of an unknown type, which are ignored.")
	f.datagrams = counter("datagrams_total",
		"Datagrams read. Packets per datagram show how well the kernel batches.")
	f.socketBuffer = gauge("socket_buffer_bytes",
		"Size of the socket's receive buffer as the kernel accounts for it, twice the configured size; 0 while the group is not bound.")
	f.socketQueued = gauge("socket_queued_bytes",
		"Fill of the socket's receive buffer as the kernel accounts for it; 0 while the group is not bound.")
	f.labelSets = gauge("label_sets",
		"Label sets of the group, combinations of label values that packets are counted by.")
	f.labelSetsLimit = gauge("label_sets_limit",
		"Limit of label sets of the group. Beyond it packets are counted under __overflow__: first by prefix, family and hook, in up to a tenth more label sets, then in a single one.")
	f.overflow = counter("overflow_packets_total",
		"Packets counted under __overflow__, because the group had reached its limit of label sets.")
	f.forgotten = counter("forgotten_packets_total",
		"Packets that nflog_packets_total no longer has, because their label sets were forgotten.")

	if topSources {
		f.sources = add("sources",
			"Source addresses of the prefix's packets in the last 2.5 to 5 minutes, estimated with a standard error of 2.3 %; IPv6 by network.",
			dto.MetricType_GAUGE, append(l.ofGroup.names(), labelNames[labelPrefix]))
		f.sourcePackets = counter("source_packets_total",
			"Packets of source addresses that have a share of 1 % or more of the prefix's packets, or had it a short time ago.",
			labelNames[labelPrefix], labelNames[labelSource])
	}
	ofRules := slices.Sorted(slices.Values(append(l.ofGroup.names(), firewall.RuleLabels()...)))
	f.firewall.Rules = add("rules",
		"Firewall rules that log to the group, whether or not it is read. Rules alike in all labels are one series.", dto.MetricType_GAUGE, ofRules).dto
	f.firewall.RulePackets = add("rule_packets_total",
		"Packets that these rules matched, by the rules' own counters. Rules without a counter before their rate limit are left out.",
		dto.MetricType_COUNTER, ofRules).dto
	f.firewall.RulesUnread = gauge("rules_unread",
		"Firewall rules that log to the group while nobody reads it: no socket of any program is bound to it.").dto
	ofRuleset := slices.DeleteFunc(l.ofGroup.names(), func(name string) bool { return name == labelNames[labelGroup] })
	f.firewall.RulesetChanges = add("ruleset_changes_total",
		"Changes of the nf_tables ruleset since the exporter first read it, whether or not they are about rules that log.",
		dto.MetricType_COUNTER, ofRuleset).dto
	f.firewall.RulesetChanged = add("ruleset_last_change_timestamp_seconds",
		"When the exporter last saw that the nf_tables ruleset had changed, in seconds since 1970; absent before the first time.",
		dto.MetricType_GAUGE, ofRuleset).dto

	slices.SortFunc(f.all, func(a, b *family) int { return strings.Compare(a.dto.GetName(), b.dto.GetName()) })
	return f
}

// unitOf returns the unit that the name of a metric ends with, or "". OpenMetrics has units where names end with them.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"bytes", "seconds"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}

// clear removes all metrics.
func (f *families) clear() {
	for _, family := range f.all {
		family.dto.Metric = family.dto.Metric[:0]
	}
}

func (f *family) add(m *dto.Metric) { f.dto.Metric = append(f.dto.Metric, m) }
