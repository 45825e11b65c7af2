// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import "time"

// A Report says which sources the packets of a prefix had in the window.
type Report struct {
	Prefix  string
	Since   time.Time // when the window began
	Packets uint64

	// Distinct is an estimate of how many sources there were, with the standard error DistinctError.
	Distinct float64

	// MaxError is by how many packets the count of a source can be too high at most. It is at most ErrorBound of the packets.
	MaxError uint64

	// Sources are the heaviest sources, those first that have certainly sent most. A source with fewer packets than MaxError for
	// sure is left out: others may have sent as many.
	Sources []Source

	Series []Series
}

// A Source is a source in a [Report]. It has sent AtLeast to Packets packets.
type Source struct {
	Address          string // or a network of IPv6
	AtLeast, Packets uint64
	Bytes            uint64    // of the packets that it has certainly sent
	Share            float64   // of the prefix's packets, that it has certainly sent
	StandsOut        bool      // whether that is as much as a series takes
	Ports            []string  // classes of destination ports
	First, Last      time.Time // when packets came, in the window
}

// A Series is a counter of a source, which is exact from the time when the source got it. What it began with is what the source had
// certainly sent in the window by then.
type Series struct {
	Address string
	Packets uint64
	Created time.Time
}

// Report updates the series, and returns a report.
func (s *Sources) Report() Report {
	t := s.tracker
	if s.number != t.pane {
		s.advance()
	}
	totals, bound := s.totals()
	s.updateSeries(totals)

	r := Report{
		Prefix:   s.prefix,
		Since:    t.began.Add(-paneLen),
		Packets:  s.packets(),
		Distinct: estimate(&s.current.distinct, &s.before.distinct),
		MaxError: bound,
	}
	if r.Since.Before(t.started) {
		r.Since = t.started
	}
	for i := range totals {
		of := &totals[i]
		if len(r.Sources) == t.sources || of.certain == 0 || of.certain < bound {
			break
		}
		r.Sources = append(r.Sources, Source{
			Address: t.mask.text(of.address), AtLeast: of.certain, Packets: of.most, Bytes: of.bytes,
			Share: s.share(of), StandsOut: s.share(of) >= minShare && of.certain >= minPackets,
			Ports: t.ports.list(of.ports), First: of.first, Last: of.last,
		})
	}
	for i := range s.series {
		e := &s.series[i]
		c := s.current.counters[s.current.find(e.address, t.seed.hash(e.address))]
		r.Series = append(r.Series, Series{t.mask.text(e.address), uint64(e.base + int64(c.packets)), e.created})
	}
	return r
}
