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
)

// A gatherer makes metrics of what was counted. The metrics of a label set are made once, and get new
// values in each gathering: to make those of thousands anew, and to check and sort them as a
// [prometheus.Registry] does, takes many times as long.
type gatherer struct {
	families *families
	scale    *sizeScale // of the histogram, nil without one
	groups   []*group

	mu     sync.Mutex // held from the beginning of a gathering until its metrics were written
	copied tableSnapshot
}

// gather returns all metrics. They change when done was called.
func (g *gatherer) gather(now time.Time) (metrics []*dto.MetricFamily, done func()) {
	g.mu.Lock()
	g.families.clear()
	for _, group := range g.groups {
		group.table.snapshot(&g.copied, now)
		g.gatherTable()
		g.gatherGroup(group.table, group.snapshot())
	}
	return g.families.dtos(), g.mu.Unlock
}

func (g *gatherer) gatherTable() {
	for i := range g.copied.sets {
		set := &g.copied.sets[i]
		g.families.packets.add(set.packetsMetric.update(set.series, set.packets))
		g.families.bytes.add(set.bytesMetric.update(set.series, set.bytes))
	}
	pages := g.copied.pages
	for i := range g.copied.histograms {
		h := &g.copied.histograms[i]
		g.families.packetSize.add(h.metric.update(h, g.scale, pages[:h.n]))
		pages = pages[h.n:]
	}
}

// gatherGroup makes the metrics of a group as a whole.
func (g *gatherer) gatherGroup(table *table, s groupSnapshot) {
	t, f := &g.copied, g.families
	counter := func(f *family, value uint64, labels ...*dto.LabelPair) {
		f.add(&dto.Metric{
			Label:   append(slices.Clip(table.labels), labels...),
			Counter: &dto.Counter{Value: new(float64(value)), CreatedTimestamp: s.created},
		})
	}
	byReason := func(f *family, reason string, value uint64) {
		counter(f, value, &dto.LabelPair{Name: new("reason"), Value: &reason})
	}
	gauge := func(f *family, value float64) {
		f.add(&dto.Metric{Label: table.labels, Gauge: &dto.Gauge{Value: &value}})
	}

	if s.state.Bound {
		gauge(f.up, 1)
		gauge(f.boundTimestamp, seconds(s.state.Since))
	} else {
		gauge(f.up, 0)
		gauge(f.boundTimestamp, 0)
	}
	if !t.lastPacket.IsZero() {
		gauge(f.lastTimestamp, seconds(t.lastPacket))
	}
	counter(f.binds, s.binds)
	for i, reason := range bindFailureReasons {
		byReason(f.bindFailures, reason, s.bindFailures[i])
	}
	counter(f.lost, t.stats.Lost)
	counter(f.socketDrops, s.socket.Drops)
	byReason(f.receiveErrors, "overrun", t.stats.Overruns)
	byReason(f.receiveErrors, "truncated", t.stats.Truncated)
	byReason(f.receiveErrors, "other", t.stats.Foreign+s.readFailures)
	byReason(f.decodeErrors, "message", t.stats.MalformedMessages)
	byReason(f.decodeErrors, "attribute", t.stats.MalformedAttributes)
	byReason(f.decodeErrors, "packet", t.badHeaders)
	counter(f.unknownAttributes, t.stats.UnknownAttributes)
	counter(f.datagrams, t.stats.Datagrams)
	gauge(f.socketBuffer, float64(s.socket.Buffer))
	gauge(f.socketQueued, float64(s.socket.Queued))
	gauge(f.labelSets, float64(len(t.sets)))
	gauge(f.labelSetsLimit, float64(table.limits.labelSets))
	counter(f.overflow, t.overflow)
	counter(f.forgotten, t.forgotten)
}

// seconds returns a time as Prometheus wants it, to the millisecond, as precise as it stores.
func seconds(t time.Time) float64 { return math.Round(float64(t.UnixNano())/1e6) / 1e3 }

// A gathered is a metric of a gathering, for registries.
type gathered struct {
	desc   *prometheus.Desc
	metric *dto.Metric
}

// Desc implements [prometheus.Metric].
func (g *gathered) Desc() *prometheus.Desc { return g.desc }

// Write implements [prometheus.Metric].
func (g *gathered) Write(m *dto.Metric) error {
	proto.Merge(m, g.metric)
	return nil
}
