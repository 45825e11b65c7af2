// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/collector/topsources"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Bounds and defaults of the configuration of top sources.
const (
	MaxTopSources         = topsources.MaxSources
	DefaultTopSourcesIPv6 = topsources.DefaultIPv6Length
)

// TopSourcesError is the standard error of the estimated number of sources.
var TopSourcesError = topsources.DistinctError

// A PrefixSources says which sources the packets of a prefix had in the last minutes.
type PrefixSources = topsources.Report

// A TopSource is one of the heaviest sources of a prefix.
type TopSource = topsources.Source

// A GroupSources has the sources of all prefixes of a group, sorted by prefix.
type GroupSources struct {
	Group    uint16
	NetNS    string // as in GroupConfig
	Prefixes []PrefixSources
}

// A sourceCounter counts the sources of a group's packets, by prefix. The table's lock guards it.
type sourceCounter struct {
	tracker  *topsources.Tracker
	byOrigin []originSources // by the index of the origin
}

type originSources struct {
	origin  *nflog.Origin
	sources *topsources.Sources
}

// sourceCounter returns a sourceCounter, or nil if none is asked for.
func (c *Config) sourceCounter() *sourceCounter {
	if c.TopSources == 0 {
		return nil
	}
	return &sourceCounter{tracker: topsources.New(topsources.Config{
		Sources: min(c.TopSources, MaxTopSources), IPv6Length: c.TopSourcesIPv6, Ports: c.DestinationPorts,
	}, time.Now())}
}

// countSource counts the source of a packet with these headers, if it has one.
func (t *table) countSource(p nflog.Packet, h *packet.Parsed) {
	counted := topsources.Packet{Length: h.Length}
	if source, _, ok := h.IPv4(); ok {
		_, counted.Port, counted.HasPort = h.Transport().Ports()
		t.sources.of(p.Origin(), t.labeling).CountIPv4(source, counted)
	} else if source, _, ok := h.IPv6(); ok {
		_, counted.Port, counted.HasPort = h.Transport().Ports()
		t.sources.of(p.Origin(), t.labeling).CountIPv6(source, counted)
	}
}

// of returns the sources of packets of an origin.
func (c *sourceCounter) of(o *nflog.Origin, l *labeling) *topsources.Sources {
	if o.Index < len(c.byOrigin) && c.byOrigin[o.Index].origin == o {
		return c.byOrigin[o.Index].sources
	}
	value, _ := l.rules.Apply(o.Prefix[:min(len(o.Prefix), maxPrefix)])
	sources := c.tracker.Of(value, overflowValue)
	if n := o.Index + 1 - len(c.byOrigin); n > 0 {
		c.byOrigin = append(c.byOrigin, make([]originSources, n)...)
	}
	c.byOrigin[o.Index] = originSources{o, sources}
	return sources
}

// forgetOrigins makes all origins find their prefix anew.
func (c *sourceCounter) forgetOrigins() {
	if c != nil {
		c.byOrigin = nil
	}
}

// topSources returns reports on all prefixes, sorted. Its lock is held for one prefix at a time, to hold up the reader no longer.
func (t *table) topSources(now time.Time) []topsources.Report {
	t.mu.Lock()
	if t.sources == nil {
		t.mu.Unlock()
		return nil
	}
	t.sources.tracker.Advance(now)
	all, forgot := t.sources.tracker.All()
	if forgot {
		t.sources.forgetOrigins()
	}
	t.mu.Unlock()

	reports := make([]topsources.Report, len(all))
	for i, s := range all {
		t.mu.Lock()
		reports[i] = s.Report()
		t.mu.Unlock()
	}
	slices.SortFunc(reports, func(a, b topsources.Report) int { return strings.Compare(a.Prefix, b.Prefix) })
	return reports
}

// TopSources returns the heaviest sources by group and prefix, and whether it was asked for them.
func (c *Collector) TopSources() (groups []GroupSources, ok bool) {
	if c.config.TopSources == 0 {
		return nil, false
	}
	c.mu.Lock()
	all := slices.Clone(c.groups)
	c.mu.Unlock()
	for _, g := range all {
		config := g.snapshot().state
		groups = append(groups, GroupSources{config.Group, config.NetNS, g.table.topSources(time.Now())})
	}
	return groups, true
}

// gatherSources makes the metrics about sources of a group, whose own metrics have these labels.
func (g *gatherer) gatherSources(labels []*dto.LabelPair, reports []topsources.Report) {
	pair := func(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
	for i := range reports {
		r := &reports[i]
		of := append(slices.Clip(labels), pair(labelNames[labelPrefix], r.Prefix))
		g.families.sources.add(&dto.Metric{Label: of, Gauge: &dto.Gauge{Value: new(math.Round(r.Distinct))}})
		for _, e := range r.Series {
			g.families.sourcePackets.add(&dto.Metric{
				Label:   append(slices.Clip(of), pair(labelNames[labelSource], e.Address)),
				Counter: &dto.Counter{Value: new(float64(e.Packets)), CreatedTimestamp: timestamppb.New(e.Created)},
			})
		}
	}
}
