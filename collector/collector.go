// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector turns logged packets into Prometheus metrics.
//
// Each group has a goroutine that reads it and counts its packets in a table. A scrape copies the tables and makes
// metrics of the copies.
package collector

import (
	"context"
	"iter"
	"math"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/history"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A Collector reads NFLOG groups and exposes their counts: by GatherPieces, which needs the least memory, as a
// [prometheus.TransactionalGatherer], and as a [prometheus.Collector], for registries.
//
// Locks are taken in this order: reloading, gatherer.mu, mu, group.mu, table.mu. That of the firewalls is taken under gatherer.mu.
type Collector struct {
	config    Config
	gatherer  *gatherer
	firewalls *firewall.Firewalls // of the groups' network namespaces; none with Config.NoRuleset
	health    health

	reloading sync.Mutex    // held by a reload; guards what follows
	rules     []prefix.Rule // that apply
	networks  *network.Set  // that apply; nil if no label of addresses is selected

	mu             sync.Mutex      // guards what follows
	groups         []*group        // a reload changes it
	rulesUnused    bool            // there are prefix rules without effect
	networksUnused bool            // there are networks without effect
	running        context.Context // of Run, while it runs
	readers        sync.WaitGroup
}

// New returns a Collector. It reads nothing before Run.
func New(config Config) (*Collector, error) {
	if config.Logger == nil {
		config.Logger = log.NewNopLogger()
	}
	buckets, err := config.bucketLayout()
	if err != nil {
		return nil, err
	}
	firewalls := firewall.New(config.Logger)
	c := &Collector{
		config:    config,
		gatherer:  &gatherer{buckets: buckets, firewalls: firewalls, prefixes: history.NewPrefixes(time.Now())},
		firewalls: firewalls,
	}
	if err := c.Reload(config.Groups, config.PrefixRules, config.Networks); err != nil {
		return nil, err
	}
	return c, nil
}

// Run reads the groups until the context is done. It returns when it has counted all packets that the kernel logged by
// then, and has unbound the groups.
func (c *Collector) Run(ctx context.Context) {
	c.mu.Lock()
	c.running = ctx
	c.readers.Go(func() { c.gatherer.expireUntil(ctx) })
	c.readers.Go(func() { c.watchUntil(ctx) })
	c.readers.Go(func() { c.firewalls.Run(ctx) })
	for _, g := range c.groups {
		c.start(g)
	}
	c.mu.Unlock()

	<-ctx.Done()
	c.mu.Lock()
	c.running = nil
	c.mu.Unlock()
	c.readers.Wait()
}

// start starts to read a group. The caller holds mu.
func (c *Collector) start(g *group) {
	ctx, stop := context.WithCancelCause(c.running)
	g.stop = stop
	c.readers.Go(func() { g.run(ctx) })
}

// Gather implements [prometheus.TransactionalGatherer]. The metrics are valid until done is called, and another Gather
// waits until then.
func (c *Collector) Gather() (metrics []*dto.MetricFamily, done func(), err error) {
	done = c.gatherer.gather(time.Now())
	for _, family := range c.gatherer.inPieces(math.MaxInt, func() *slab { return &slab{} }) {
		metrics = append(metrics, family)
	}
	return metrics, done, nil
}

// GatherPieces gathers metrics like Gather, but most of them are made only as the caller iterates over them. A family with many
// metrics comes in several pieces, one after the other: all have its name and type, only the first has its help text. A piece
// is valid until the next one. Another Gather waits until done is called.
func (c *Collector) GatherPieces() (pieces iter.Seq[*dto.MetricFamily], done func(), err error) {
	done = c.gatherer.gather(time.Now())
	return func(yield func(*dto.MetricFamily) bool) {
		for _, family := range c.gatherer.pieces() {
			if !yield(family) {
				return
			}
		}
	}, done, nil
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	c.gatherer.mu.Lock()
	defer c.gatherer.mu.Unlock()
	for _, f := range c.gatherer.families.all {
		ch <- f.desc
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	defer c.gatherer.gather(time.Now())()
	for f, piece := range c.gatherer.pieces() {
		for _, m := range piece.Metric {
			ch <- &constMetric{f.desc, proto.CloneOf(m)}
		}
	}
}
