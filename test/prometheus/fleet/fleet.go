// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	surgingPrefix = "fw wan drop"
	newPrefix     = "fw wan telnet drop"
)

// prefixes are the prefixes of all nodes. The second word from the end of most is what prefix rules make the label action of.
var prefixes = []struct{ prefix, action string }{
	{surgingPrefix, "drop"},
	{newPrefix, "drop"},
	{"fw wan ssh drop", "drop"},
	{"fw wan invalid drop", "drop"},
	{"fw wan bogon drop", "drop"},
	{"fw lan smtp reject", "reject"},
	{"fw lan dns reject", "reject"},
	{"fw lan accept", "accept"},
	{"fw dmz http accept", "accept"},
	{"fw dmz https accept", "accept"},
	{"fw dmz drop", "drop"},
	{"fw guest drop", "drop"},
	{"fw guest accept", "accept"},
	{"fw vpn accept", "accept"},
	{"fw vpn drop", "drop"},
	{"fw mgmt ssh accept", "accept"},
	{"fw mgmt reject", "reject"},
	{"fw out smtp", ""},
	{"fw out metadata", ""},
	{"", ""},
}

// newFleet returns the nodes, at the start of the simulation.
func newFleet(s settings) []*node {
	start := float64(s.end/1000) - float64(s.minutes)*step.Seconds()
	nodes := make([]*node, s.nodes)
	for i := range nodes {
		nodes[i] = newNode(i, s.labelSets, start)
	}
	return nodes
}

// newNode returns a node whose exporter has run for days.
func newNode(index, labelSets int, start float64) *node {
	n := &node{index: index, random: rand.New(rand.NewPCG(1, uint64(index))), time: start}
	instance := fmt.Sprintf("node-%04d:10100", index)
	target := func(name string, pairs ...string) *series {
		pairs = append([]string{labels.MetricName, name, "job", "nflog", "instance", instance}, pairs...)
		return &series{labels: labels.FromStrings(pairs...)}
	}
	exposed := func(value float64, name string, pairs ...string) *series {
		added := target(name, pairs...)
		added.value = value
		n.exposed = append(n.exposed, added)
		return added
	}
	group := func(value float64, name string, pairs ...string) *series {
		return exposed(value, "nflog_"+name, append([]string{"group", "100"}, pairs...)...)
	}
	began := start - math.Floor(n.random.Float64()*10*86400)

	n.up = target("up")
	n.isUp = group(1, "up")
	group(1, "binds_total")
	n.bound = group(began, "bound_timestamp_seconds")
	n.last = group(start-1, "last_packet_timestamp_seconds")
	n.bindsFailed = group(0, "bind_failures_total", "reason", "held")
	for _, reason := range []string{"permission", "unsupported", "namespace", "other"} {
		group(0, "bind_failures_total", "reason", reason)
	}
	for _, reason := range []string{"overrun", "truncated", "other"} {
		group(0, "receive_errors_total", "reason", reason)
	}
	for _, reason := range []string{"message", "attribute", "packet"} {
		group(0, "decode_errors_total", "reason", reason)
	}
	n.lost, n.drops = group(0, "lost_packets_total"), group(0, "socket_drops_total")
	group(0, "unknown_attributes_total")
	n.datagrams = group(1e6, "datagrams_total")
	group(32<<20, "socket_buffer_bytes")
	n.queued = group(0, "socket_queued_bytes")
	n.sets, n.setsLimit = group(float64(labelSets), "label_sets"), group(2000, "label_sets_limit")
	n.overflow = group(0, "overflow_packets_total")
	group(0, "forgotten_packets_total")
	exposed(1, "nflog_exporter_build_info", "version", "0.0.0", "goversion", "go1.26")
	exposed(began, "process_start_time_seconds")
	n.cpu, n.memory = exposed(1000, "process_cpu_seconds_total"), exposed(30e6, "process_resident_memory_bytes")

	for i := range labelSets {
		n.labelSets = append(n.labelSets, newLabelSet(n, i, exposed))
	}
	return n
}

// newLabelSet returns a label set of a node. Few of them have most of the packets.
func newLabelSet(n *node, i int, exposed func(float64, string, ...string) *series) *labelSet {
	p := prefixes[i%len(prefixes)]
	i /= len(prefixes)
	pairs := []string{
		"group", "100", "prefix", p.prefix, "action", p.action, "hook", "forward",
		"protocol", []string{"tcp", "udp", "icmp", "igmp", "other"}[i%5],
		"family", []string{"ip", "ip6"}[i/5%2],
		"in_interface", fmt.Sprintf("eth%d", i/10%4), "out_interface", fmt.Sprintf("vlan%d", 10+i/40),
	}
	set := &labelSet{prefix: p.prefix, rate: 600 * math.Pow(n.random.Float64(), 12), size: 60 + float64(n.random.IntN(1400))}
	value := math.Floor(set.rate * n.random.Float64() * 1e4)
	if p.prefix == newPrefix {
		value, set.rate = 0, 30
	}
	set.packets = exposed(value, "nflog_packets_total", pairs...)
	set.bytes = exposed(value*set.size, "nflog_bytes_total", pairs...)
	return set
}
