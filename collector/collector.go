// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector turns logged packets into Prometheus metrics.
//
// Each group has a goroutine of its own that reads it and counts its packets in a table. A scrape
// copies the tables and makes metrics of the copies.
package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// DefaultPacketSizeBuckets are the bounds of the packet size histogram in bytes: powers of two,
// and the usual MTUs of Ethernet.
var DefaultPacketSizeBuckets = []uint32{64, 128, 256, 512, 1024, 1500, 9000, 65535}

// A GroupConfig says which NFLOG group is read and how. The fields from CopyRange on are those of
// [nflog.ReaderConfig]; zero stands for the default there.
type GroupConfig struct {
	Group uint16
	NetNS string // path of the network namespace; empty for the program's own

	CopyRange      uint32        // bytes of each packet that the kernel copies
	QueueThreshold uint32        // packets per batch at most
	QueueTimeout   time.Duration // longest time that a packet waits in the kernel
	BatchBuffer    uint32        // bytes per batch in the kernel
	SocketBuffer   int           // bytes of the socket's receive buffer
}

func (c GroupConfig) reader() nflog.ReaderConfig {
	return nflog.ReaderConfig{
		CopyRange:      c.CopyRange,
		QueueThreshold: c.QueueThreshold,
		QueueTimeout:   c.QueueTimeout,
		BatchBuffer:    c.BatchBuffer,
		SocketBuffer:   c.SocketBuffer,
	}
}

// A Config says what a [Collector] does.
type Config struct {
	Groups []GroupConfig // at least one, each group once
	Logger log.Logger    // nil for none

	// PacketSizeBuckets are the bounds of the packet size histogram in bytes, ascending; nil for
	// DefaultPacketSizeBuckets.
	PacketSizeBuckets []uint32
}

// A Collector reads NFLOG groups and is a [prometheus.Collector] of what it has counted.
type Collector struct {
	descs   *descs
	bounds  []uint32
	groups  []*group
	created time.Time // of the counters that are there from the start
}

// New returns a Collector, which does nothing before Run.
func New(config Config) (*Collector, error) {
	if len(config.Groups) == 0 {
		return nil, errors.New("no NFLOG group to read")
	}
	logger := config.Logger
	if logger == nil {
		logger = log.NewNopLogger()
	}
	bounds := config.PacketSizeBuckets
	if bounds == nil {
		bounds = DefaultPacketSizeBuckets
	}
	if len(bounds) > maxBuckets {
		return nil, fmt.Errorf("%d buckets of packet sizes: more than %d", len(bounds), maxBuckets)
	}
	for i := 1; i < len(bounds); i++ {
		if bounds[i] <= bounds[i-1] {
			return nil, fmt.Errorf("buckets of packet sizes: %d follows %d, not ascending", bounds[i], bounds[i-1])
		}
	}
	c := &Collector{descs: newDescs(), bounds: bounds, created: time.Now()}
	seen := make(map[uint16]bool)
	for _, g := range config.Groups {
		if seen[g.Group] {
			return nil, fmt.Errorf("NFLOG group %d is named twice", g.Group)
		}
		seen[g.Group] = true
		c.groups = append(c.groups, newGroup(g, newTable(g.Group, c.descs.packets, bounds), logger))
	}
	return c, nil
}

// Run reads the groups until the context is done. It returns when all that the kernel had logged
// to them by then is counted and they are free again.
func (c *Collector) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, g := range c.groups {
		wg.Go(func() { g.run(ctx) })
	}
	wg.Wait()
}

// A GroupState is what happens with a group at the moment.
type GroupState struct {
	Group  uint16
	Tried  bool      // whether it was tried to bind the group
	Bound  bool      // whether its packets are counted
	Reason string    // why they are not, in words
	Since  time.Time // since when that is so
}

// Groups returns the state of each group, in the order of the configuration.
func (c *Collector) Groups() []GroupState {
	states := make([]GroupState, len(c.groups))
	for i, g := range c.groups {
		states[i] = g.snapshot().state
	}
	return states
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) { c.descs.describe(ch) }

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for _, g := range c.groups {
		t := g.table.snapshot()
		c.collectTable(ch, &t)
		c.collectGroup(ch, g.table.group, &t, g.snapshot())
	}
}

func (c *Collector) collectTable(ch chan<- prometheus.Metric, t *tableSnapshot) {
	for i, set := range t.sets {
		n := &t.counts[i]
		ch <- counterSample(c.descs.packets, set, n.packets)
		ch <- counterSample(c.descs.bytes, set, n.bytes)
		ch <- histogramSample(c.descs.packetSize, set, n, c.bounds)
	}
}

func (c *Collector) collectGroup(ch chan<- prometheus.Metric, group string, t *tableSnapshot, g groupSnapshot) {
	counter := func(desc *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, float64(value),
			c.created, append([]string{group}, labels...)...)
	}
	gauge := func(desc *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, group)
	}

	d := c.descs
	if g.state.Bound {
		gauge(d.up, 1)
		gauge(d.boundTimestamp, seconds(g.state.Since))
	} else {
		gauge(d.up, 0)
		gauge(d.boundTimestamp, 0)
	}
	if !t.lastPacket.IsZero() {
		gauge(d.lastTimestamp, seconds(t.lastPacket))
	}
	counter(d.binds, g.binds)
	for i, reason := range bindFailureReasons {
		counter(d.bindFailures, g.bindFailures[i], reason)
	}
	counter(d.lost, t.stats.Lost)
	counter(d.socketDrops, g.socket.Drops)
	counter(d.receiveErrors, t.stats.Overruns, "overrun")
	counter(d.receiveErrors, t.stats.Truncated, "truncated")
	counter(d.receiveErrors, t.stats.Foreign+g.readFailures, "other")
	counter(d.decodeErrors, t.stats.MalformedMessages, "message")
	counter(d.decodeErrors, t.stats.MalformedAttributes, "attribute")
	counter(d.decodeErrors, t.badHeaders, "packet")
	counter(d.unknownAttributes, t.stats.UnknownAttributes)
	counter(d.datagrams, t.stats.Datagrams)
	gauge(d.socketBuffer, float64(g.socket.Buffer))
	gauge(d.socketQueued, float64(g.socket.Queued))
	gauge(d.labelSets, float64(len(t.sets)))
}

// seconds returns a time as Prometheus wants it, to the millisecond, as precise as it stores.
func seconds(t time.Time) float64 { return math.Round(float64(t.UnixNano())/1e6) / 1e3 }
