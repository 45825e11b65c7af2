// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"iter"

	dto "github.com/prometheus/client_model/go"
)

// pieceLen is how many metrics of label sets there are in memory at a time while a scrape is written. A metric takes 1 to 2 KB,
// many times as much as the label set.
const pieceLen = 128

// A slab has memory for metrics.
type slab struct {
	counters   []*counterMetric
	histograms []*histogramMetric
	metrics    []*dto.Metric
}

// counter returns the memory for the i-th counter.
func (s *slab) counter(i int) *counterMetric {
	if i == len(s.counters) {
		s.counters = append(s.counters, &counterMetric{})
	}
	return s.counters[i]
}

// histogram returns the memory for the i-th histogram.
func (s *slab) histogram(i int) *histogramMetric {
	if i == len(s.histograms) {
		s.histograms = append(s.histograms, &histogramMetric{})
	}
	return s.histograms[i]
}

// pieces iterates over the families that have metrics, sorted by name. A family with more metrics than pieceLen comes in
// several pieces, one after the other. Only the first has a help text. A piece is valid until the next one.
func (g *gatherer) pieces() iter.Seq2[*family, *dto.MetricFamily] {
	return g.inPieces(pieceLen, func() *slab { return &g.slab })
}

// inPieces iterates over all metrics in pieces of at most that many of one family. Each family has its metrics in the memory
// that slabOf returns.
func (g *gatherer) inPieces(most int, slabOf func() *slab) iter.Seq2[*family, *dto.MetricFamily] {
	return func(yield func(*family, *dto.MetricFamily) bool) {
		for _, f := range g.families.all {
			p := piece{family: f, most: most, yield: yield}
			switch f {
			case g.families.packets:
				p.slab = slabOf()
				g.counters(&p, func(s *setSnapshot) uint64 { return s.packets })
			case g.families.bytes:
				p.slab = slabOf()
				g.counters(&p, func(s *setSnapshot) uint64 { return s.bytes })
			case g.families.prefixPackets:
				p.slab = slabOf()
				g.prefixCounters(&p)
			case g.families.packetSize:
				p.slab = slabOf()
				g.histograms(&p)
			default:
				if len(f.dto.Metric) > 0 {
					p.stopped = !yield(f, f.dto)
				}
			}
			if p.stopped {
				return
			}
		}
	}
}

// counters yields the counters of all label sets.
func (g *gatherer) counters(p *piece, value func(*setSnapshot) uint64) {
	for i := range g.groups {
		s := g.copyOf(i)
		for j := range s.sets {
			set := &s.sets[j]
			if !p.add(p.slab.counter(p.len()).update(s.ofCounters, set.series, value(set))) {
				return
			}
		}
	}
	p.end()
}

// prefixCounters yields the totals of all prefixes.
func (g *gatherer) prefixCounters(p *piece) {
	for i, group := range g.groups {
		s := g.copyOf(i)
		for j := range s.prefixes {
			total := &s.prefixes[j]
			if !p.add(p.slab.counter(p.len()).update(group.table.labeling.ofPrefix, total.series, total.packets)) {
				return
			}
		}
	}
	p.end()
}

// histograms yields all histograms.
func (g *gatherer) histograms(p *piece) {
	for i := range g.groups {
		s := g.copyOf(i)
		for j := range s.histograms {
			h := &s.histograms[j]
			if !p.add(p.slab.histogram(p.len()).update(s.ofHistogram, h, g.buckets, s.countsOf(h))) {
				return
			}
		}
	}
	p.end()
}

// A piece is some of the metrics of a family.
type piece struct {
	family  *family
	most    int
	yield   func(*family, *dto.MetricFamily) bool
	slab    *slab // slab.metrics are those of the piece, once it is begun
	n       int
	later   bool // there was a piece before
	stopped bool // by yield
}

func (p *piece) len() int { return p.n }

// add adds a metric. It reports whether to go on.
func (p *piece) add(m *dto.Metric) bool {
	p.slab.metrics = append(p.slab.metrics[:p.n], m)
	p.n++
	if p.n == p.most {
		p.end()
	}
	return !p.stopped
}

// end yields the piece, unless it is empty.
func (p *piece) end() {
	if p.n == 0 || p.stopped {
		return
	}
	whole := p.family.dto
	family := &dto.MetricFamily{Name: whole.Name, Type: whole.Type, Metric: p.slab.metrics[:p.n]}
	if !p.later {
		family.Help = whole.Help
	}
	p.stopped = !p.yield(p.family, family)
	p.n, p.later = 0, true
}
