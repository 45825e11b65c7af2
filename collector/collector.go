// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector turns logged packets into Prometheus metrics.
//
// Each group has a goroutine of its own that reads it and counts its packets in a table. A scrape
// copies the tables and makes metrics of the copies.
package collector

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// DefaultPacketSizeBuckets are the bounds of the packet size histogram in bytes: powers of two,
// and the usual MTUs of Ethernet.
var DefaultPacketSizeBuckets = []uint32{64, 128, 256, 512, 1024, 1500, 9000, 65535}

// A GroupConfig says which NFLOG group is read and how. The fields from CopyRange on are those of
// [nflog.ReaderConfig]; zero stands for the default there.
type GroupConfig struct {
	Group uint16
	NetNS string // name under /run/netns or path of the network namespace; empty for the program's own

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

	// Labels are names of the labels that packets are counted by, out of LabelNames; nil for
	// DefaultLabels. The group is always one of them.
	Labels []string

	// MarkMask is the bits of a packet's mark that the label mark shows; 0 for all.
	MarkMask uint32

	// DestinationPorts are the ports that the label destination_port names.
	DestinationPorts []uint16

	// InterfacePatterns give names in common to interfaces; the first that matches a name counts.
	InterfacePatterns []InterfacePattern

	// PrefixRules turn prefixes into labels; the first that matches a prefix counts.
	PrefixRules []PrefixRule

	// NoPacketSize leaves out the histogram of packet sizes.
	NoPacketSize bool

	// HistogramLabels are the labels of the histogram, out of Labels; nil for all of them. The
	// group is always one of them.
	HistogramLabels []string

	// PacketSizeBuckets are the bounds of the histogram's classic buckets in bytes, ascending; nil
	// for DefaultPacketSizeBuckets.
	PacketSizeBuckets []uint32

	// MaxLabelSets is how many label sets a group may have before packets are counted in
	// common; 0 for DefaultMaxLabelSets.
	MaxLabelSets int

	// IdleTimeout is after how long a label set is forgotten that counted nothing; 0 for never.
	IdleTimeout time.Duration

	// DeletedInterfaceTimeout is how long after the deletion of its interface a label set is
	// forgotten; 0 for never.
	DeletedInterfaceTimeout time.Duration
}

// DefaultMaxLabelSets is how many label sets a group may have by default.
const DefaultMaxLabelSets = 2000

// A Collector reads NFLOG groups and tells what it has counted: as a [prometheus.TransactionalGatherer],
// which is fast, and as a [prometheus.Collector], for registries.
type Collector struct {
	config   Config
	gatherer *gatherer

	mu      sync.Mutex // guards what follows
	groups  []*group
	running context.Context // of Run, while that runs
	readers sync.WaitGroup
}

// New returns a Collector, which does nothing before Run.
func New(config Config) (*Collector, error) {
	if config.Logger == nil {
		config.Logger = log.NewNopLogger()
	}
	scale, err := config.sizeScale()
	if err != nil {
		return nil, err
	}
	c := &Collector{config: config, gatherer: &gatherer{scale: scale}}
	if err := c.Reload(config.Groups, config.PrefixRules); err != nil {
		return nil, err
	}
	return c, nil
}

// same reports whether two configurations are of one group.
func (c GroupConfig) same(other GroupConfig) bool {
	return c.Group == other.Group && c.NetNS == other.NetNS
}

// sizeScale returns the scale of the histogram, or nil if there is to be none.
func (c *Config) sizeScale() (*sizeScale, error) {
	switch {
	case c.NoPacketSize:
		return nil, nil
	case c.PacketSizeBuckets == nil:
		return newSizeScale(DefaultPacketSizeBuckets)
	default:
		return newSizeScale(c.PacketSizeBuckets)
	}
}

// limits returns what keeps the tables small.
func (c *Config) limits() limits {
	return limits{
		labelSets:        cmp.Or(c.MaxLabelSets, DefaultMaxLabelSets),
		idle:             c.IdleTimeout,
		deletedInterface: c.DeletedInterfaceTimeout,
	}
}

// Run reads the groups until the context is done. It returns when all that the kernel had logged
// to them by then is counted and they are free again.
func (c *Collector) Run(ctx context.Context) {
	c.mu.Lock()
	c.running = ctx
	c.readers.Go(func() { c.gatherer.sweepUntil(ctx) })
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

// start lets a group be read. The caller holds mu.
func (c *Collector) start(g *group) {
	ctx, stop := context.WithCancelCause(c.running)
	g.stop = stop
	c.readers.Go(func() { g.run(ctx) })
}

// A GroupState is what happens with a group at the moment.
type GroupState struct {
	Group  uint16
	NetNS  string    // as in GroupConfig
	Tried  bool      // whether it was tried to bind the group
	Bound  bool      // whether its packets are counted
	Reason string    // why they are not, in words
	Since  time.Time // since when that is so
}

// Groups returns the state of each group, in the order of the configuration.
func (c *Collector) Groups() []GroupState {
	c.mu.Lock()
	defer c.mu.Unlock()
	states := make([]GroupState, len(c.groups))
	for i, g := range c.groups {
		states[i] = g.snapshot().state
	}
	return states
}

// Gather implements [prometheus.TransactionalGatherer]: the metrics are good until done is called, and
// nobody else can gather until then.
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
			ch <- &gathered{f.desc, proto.CloneOf(m)}
		}
	}
}
