// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector turns logged packets into Prometheus metrics.
//
// Each group has a goroutine that reads it and counts its packets in a table. A scrape copies the tables and makes
// metrics of the copies.
package collector

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/nflog-exporter/nflog_exporter/collector/history"
)

// A Collector reads NFLOG groups and exposes their counts: as a [prometheus.TransactionalGatherer], which is fast, and
// as a [prometheus.Collector], for registries.
//
// Locks are taken in this order: gatherer.mu, mu, group.mu, table.mu.
type Collector struct {
	config   Config
	gatherer *gatherer
	health   health

	mu          sync.Mutex // guards what follows
	groups      []*group
	firewalls   []*firewall // of the groups' network namespaces; none with Config.NoRuleset
	prefixes    prefixCheck
	rulesUnused bool            // there are prefix rules without effect
	running     context.Context // of Run, while it runs
	readers     sync.WaitGroup
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
	c := &Collector{config: config, gatherer: &gatherer{buckets: buckets, prefixes: history.NewPrefixes(time.Now())}}
	if err := c.Reload(config.Groups, config.PrefixRules); err != nil {
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
	for _, g := range c.groups {
		c.start(g)
	}
	for _, f := range c.firewalls {
		c.startFirewall(f)
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

// startFirewall starts to look at the rules of a network namespace, if the Collector runs. The caller holds mu.
func (c *Collector) startFirewall(f *firewall) {
	if c.running == nil {
		return
	}
	ctx, stop := context.WithCancelCause(c.running)
	f.stop = stop
	c.readers.Go(func() { f.run(ctx) })
}

// Gather implements [prometheus.TransactionalGatherer]. The metrics are valid until done is called, and another Gather
// waits until then.
func (c *Collector) Gather() (metrics []*dto.MetricFamily, done func(), err error) {
	metrics, done = c.gatherer.gather(time.Now())
	return metrics, done, nil
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
	_, done := c.gatherer.gather(time.Now())
	defer done()
	for _, f := range c.gatherer.families.all {
		for _, m := range f.dto.Metric {
			ch <- &constMetric{f.desc, proto.CloneOf(m)}
		}
	}
}
