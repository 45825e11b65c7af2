// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/nflog-exporter/nflog_exporter/collector/binderror"
	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/history"
)

// A gatherer makes the metrics of all groups. It does so without a [prometheus.Registry], which takes many times as long to check
// and sort thousands of metrics. Those of label sets are made of a copy of their counts, while they are written.
type gatherer struct {
	buckets   *bucketLayout // of the histogram; nil without one
	firewalls *firewall.Firewalls

	mu       sync.Mutex // held from the start of a scrape until its metrics are written; guards what follows
	families *families
	groups   []*group
	copies   []*tableSnapshot // of the groups' tables, see copyOf
	slab     slab             // of pieces
	prefixes *history.Prefixes
}

// copyOf returns the memory for the copy of a group's table, by the number of the group.
func (g *gatherer) copyOf(i int) *tableSnapshot {
	for len(g.copies) <= i {
		g.copies = append(g.copies, &tableSnapshot{})
	}
	return g.copies[i]
}

// copyTable copies the table of a group, by the number of the group, once it knows the firewall rules, and expired label sets are
// forgotten.
func (g *gatherer) copyTable(i int, now time.Time) *tableSnapshot {
	group := g.groups[i]
	state := group.currentState()
	group.table.setRules(g.firewalls.Prefixes(state.NetNS), state.Group, now)
	s := g.copyOf(i)
	group.table.expireAndCopy(s, now)
	return s
}

// set sets the groups and the families of their metrics. The caller holds mu.
func (g *gatherer) set(groups []*group, families *families) {
	g.groups, g.families = groups, families
	if n := len(groups); n < len(g.copies) {
		clear(g.copies[n:])
		g.copies = g.copies[:n]
	}
}

// gather copies all counts. They are there until done is called.
func (g *gatherer) gather(now time.Time) (done func()) {
	g.mu.Lock()
	g.families.clear()
	for i, group := range g.groups {
		g.gatherGroup(g.copyTable(i, now), group.table.limits, group.snapshot())
		g.gatherSources(g.copyOf(i).labels, group.table.topSources(now))
	}
	g.firewalls.Gather(&g.families.firewall, boundGroups(g.groups))
	return g.mu.Unlock
}

// boundGroups returns the groups that are bound.
func boundGroups(groups []*group) map[firewall.Group]bool {
	bound := make(map[firewall.Group]bool)
	for _, g := range groups {
		if state := g.currentState(); state.Bound {
			bound[firewall.Group{NetNS: state.NetNS, Number: state.Group}] = true
		}
	}
	return bound
}

// gatherGroup makes the metrics about a group itself. t is the copy of its table.
func (g *gatherer) gatherGroup(t *tableSnapshot, l limits, s groupSnapshot) {
	f := g.families
	counter := func(f *family, value uint64, labels ...*dto.LabelPair) {
		f.add(&dto.Metric{
			Label:   append(slices.Clip(t.labels), labels...),
			Counter: &dto.Counter{Value: new(float64(value)), CreatedTimestamp: s.created},
		})
	}
	byReason := func(f *family, reason string, value uint64) {
		counter(f, value, &dto.LabelPair{Name: new(reasonName), Value: &reason})
	}
	gauge := func(f *family, value float64) {
		f.add(&dto.Metric{Label: t.labels, Gauge: &dto.Gauge{Value: &value}})
	}

	if s.state.Bound {
		gauge(f.up, 1)
		gauge(f.boundTimestamp, seconds(s.state.Since))
	} else {
		gauge(f.up, 0)
	}
	if !t.lastPacket.IsZero() {
		gauge(f.lastTimestamp, seconds(t.lastPacket))
	}
	counter(f.binds, s.binds)
	for i, reason := range binderror.Reasons() {
		byReason(f.bindFailures, reason, s.bindFailures[i])
	}
	counter(f.lost, t.stats.Lost)
	counter(f.socketDrops, s.socket.Drops)
	byReason(f.receiveErrors, "overrun", t.stats.Overruns)
	byReason(f.receiveErrors, "truncated", t.stats.Truncated)
	byReason(f.receiveErrors, "other", t.stats.Foreign+s.readFailures)
	byReason(f.decodeErrors, "message", t.stats.MalformedMessages)
	byReason(f.decodeErrors, "attribute", t.stats.MalformedAttributes)
	byReason(f.decodeErrors, "packet", t.malformed)
	counter(f.unknownAttributes, t.stats.UnknownAttributes)
	counter(f.datagrams, t.stats.Datagrams)
	gauge(f.socketBuffer, float64(s.socket.Buffer))
	gauge(f.socketQueued, float64(s.socket.Queued))
	gauge(f.labelSets, float64(len(t.sets)))
	gauge(f.labelSetsLimit, float64(l.labelSets))
	counter(f.overflow, t.overflow)
	counter(f.forgotten, t.forgotten)
}

// seconds returns a time in seconds since 1970, to the millisecond, as precise as Prometheus stores times.
func seconds(t time.Time) float64 { return math.Round(float64(t.UnixNano())/1e6) / 1e3 }

// A constMetric is a metric of one scrape, for registries.
type constMetric struct {
	desc   *prometheus.Desc
	metric *dto.Metric
}

// Desc implements [prometheus.Metric].
func (m *constMetric) Desc() *prometheus.Desc { return m.desc }

// Write implements [prometheus.Metric].
func (m *constMetric) Write(to *dto.Metric) error {
	proto.Merge(to, m.metric)
	return nil
}
