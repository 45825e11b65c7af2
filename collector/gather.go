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

	"github.com/nflog-exporter/nflog_exporter/collector/history"
)

// A gatherer makes the metrics of all groups. It makes those of a label set once, and gives them new values for each
// scrape: to make thousands of metrics anew, and to check and sort them as a [prometheus.Registry] does, takes many
// times as long.
type gatherer struct {
	buckets *bucketLayout // of the histogram; nil without one

	mu        sync.Mutex // held from the start of a scrape until its metrics are written; guards what follows
	families  *families
	groups    []*group
	firewalls []*firewall
	copied    tableSnapshot
	prefixes  *history.Prefixes
}

// gather returns all metrics. They are valid until done is called.
func (g *gatherer) gather(now time.Time) (metrics []*dto.MetricFamily, done func()) {
	g.mu.Lock()
	g.families.clear()
	for _, group := range g.groups {
		g.expireAndCopy(group.table, now)
		g.gatherTable()
		g.gatherGroup(group.table.limits, group.snapshot())
	}
	g.gatherFirewalls()
	return g.families.dtos(), g.mu.Unlock
}

// expireAndCopy takes a snapshot of a table, once its expired label sets are forgotten.
func (g *gatherer) expireAndCopy(t *table, now time.Time) {
	for {
		t.snapshot(&g.copied, now)
		expired := g.copied.expired(t.limits, now)
		if len(expired) == 0 {
			return
		}
		t.evictExpired(expired)
	}
}

// gatherTable makes the metrics of the label sets of the copied table.
func (g *gatherer) gatherTable() {
	for i := range g.copied.sets {
		set := &g.copied.sets[i]
		g.families.packets.add(set.exposed().packetsMetric.update(set.series, set.packets))
		g.families.bytes.add(set.exposed().bytesMetric.update(set.series, set.bytes))
	}
	blocks := g.copied.blocks
	for i := range g.copied.histograms {
		h := &g.copied.histograms[i]
		g.families.packetSize.add(h.metric.update(h, g.buckets, blocks[:h.n]))
		blocks = blocks[h.n:]
	}
}

// gatherGroup makes the metrics about a group itself.
func (g *gatherer) gatherGroup(l limits, s groupSnapshot) {
	t, f := &g.copied, g.families
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
