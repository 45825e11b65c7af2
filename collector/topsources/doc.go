// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package topsources finds the source addresses that send most of the packets of a prefix, and estimates how many there are, in
// memory that does not depend on how many there are.
//
// A window of the last 2.5 to 5 minutes has two panes of 2.5 minutes: the current one, and the one before. In each,
//
//   - the heaviest sources are found by Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k
//     Elements in Data Streams, 2005). A source that has no counter takes over the one with the fewest packets, and these
//     packets are its possible error. With k counters that can be taken over, no error is more than 1/k of the pane's packets:
//     [ErrorBound] of the window's packets;
//   - the number of sources is estimated by HyperLogLog (Flajolet et al., 2007), with the estimator of Ertl (New cardinality
//     estimation algorithms for HyperLogLog sketches, 2017) and a standard error of [DistinctError].
//
// So a flood of forged addresses, each of which comes once, makes none of them look heavy, and hides no heavy one: see [Report].
package topsources

import (
	"math"
	"time"
)

const (
	// MaxSources is how many sources can be shown for each prefix.
	MaxSources = 100

	// MaxPrefixes is how many prefixes a [Tracker] has. The sources of all others are in one more.
	MaxPrefixes = 500

	// MaxSeries is how many sources of a [Tracker] have a counter of their own at a time.
	MaxSeries = 1000

	// Window is the longest time that a report is about. It is at least half as long.
	Window  = 2 * paneLen
	paneLen = 150 * time.Second

	// spareCounters is how many counters a pane has beside those of sources that must keep theirs, and prevCounters how many of
	// them are kept in the pane before.
	spareCounters = 108
	prevCounters  = 100

	// ErrorBound is the share of a prefix's packets by which the count of a source can be too high at most.
	ErrorBound = 1.0 / prevCounters
)

// DistinctError is the standard error of the estimated number of sources: 2.3 %. One in twenty estimates is off by more than twice
// as much.
var DistinctError = 1.04 / math.Sqrt(registers)

// When a source has a counter of its own, for a series.
const (
	// A source gets one when it has certainly sent this share of its prefix's packets in the window, and this many.
	minShare   = 0.01
	minPackets = 10

	// It keeps one for keepTime after it last had the lower share.
	keepShare = minShare / 2
	keepTime  = 10 * time.Minute
)
