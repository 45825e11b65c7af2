// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// step is the time from one scrape to the next.
const step = time.Minute

// events are what goes on in the last minutes, each on one node in so many.
var events = struct{ down, unbound, losing, full, silent, surging, starting event }{
	down:     event{every: 97, since: 10}, // can't be scraped
	unbound:  event{every: 89, since: 12}, // another program holds the group
	losing:   event{every: 41, since: 25}, // packets are lost
	full:     event{every: 53, since: 30}, // the limit of label sets is reached
	silent:   event{every: 61, since: 40}, // no packet comes
	surging:  event{every: 29, since: 15}, // surgingPrefix logs 50 times as much
	starting: event{every: 23, since: 8},  // newPrefix is logged for the first time
}

type event struct{ every, since int }

// happens tells whether the event goes on at a node, so many minutes before the end.
func (e event) happens(node, left int) bool { return node%e.every == e.every-1 && left < e.since }

// A series is one series of a node.
type series struct {
	labels labels.Labels
	ref    storage.SeriesRef
	value  float64
	absent bool // not exposed now
	stored bool // in the last scrape
}

// A node is one exporter with one group.
type node struct {
	index  int
	random *rand.Rand
	time   float64 // in seconds since 1970

	up, bound, isUp, bindsFailed, last *series
	lost, drops, datagrams, queued     *series
	sets, setsLimit, overflow          *series
	cpu, memory                        *series

	labelSets []*labelSet
	exposed   []*series // all but up
}

// A labelSet is a label set of a node.
type labelSet struct {
	prefix         string
	rate, size     float64 // packets a minute, and their size
	packets, bytes *series
}

// simulate lets a minute pass, so many minutes before the end.
func (n *node) simulate(left int) {
	n.time += step.Seconds()
	unbound := events.unbound.happens(n.index, left)
	logged := 0.0
	for _, set := range n.labelSets {
		rate := set.rate
		switch {
		case unbound || events.silent.happens(n.index, left),
			set.prefix == newPrefix && !events.starting.happens(n.index, left):
			rate = 0
		case set.prefix == surgingPrefix && events.surging.happens(n.index, left):
			rate *= 50
		}
		packets := n.draw(rate)
		logged += packets
		set.packets.value += packets
		set.bytes.value += packets * set.size
		set.packets.absent = set.packets.value == 0
		set.bytes.absent = set.packets.absent
	}

	n.up.value, n.isUp.value = 1, 1
	n.bound.absent = unbound
	if unbound {
		n.isUp.value = 0
		n.bindsFailed.value += 2
	}
	if logged > 0 {
		n.last.value = n.time - n.random.Float64()
	}
	n.last.absent = n.last.value == 0
	n.datagrams.value += min(logged, 120)
	n.queued.value = n.draw(8000)
	if events.losing.happens(n.index, left) {
		n.lost.value += n.draw(300)
		n.drops.value += n.draw(3)
	}
	if events.full.happens(n.index, left) {
		n.sets.value = n.setsLimit.value
		n.overflow.value += n.draw(20)
	}
	n.cpu.value += 0.02 + logged*2e-6
	n.memory.value = 30e6 + n.draw(1e6)
}

// draw returns a random whole number with this mean.
func (n *node) draw(mean float64) float64 {
	return math.Floor(mean*(0.8+0.4*n.random.Float64()) + n.random.Float64())
}

// scrape appends what a scrape of the node gets.
func (n *node) scrape(app storage.Appender, at int64, left int) error {
	down := events.down.happens(n.index, left)
	if down {
		n.up.value = 0
	}
	if err := n.up.append(app, at, false); err != nil {
		return err
	}
	for _, s := range n.exposed {
		if err := s.append(app, at, down || s.absent); err != nil {
			return err
		}
	}
	return nil
}

// append appends the value, or a marker where the series ends.
func (s *series) append(app storage.Appender, at int64, absent bool) error {
	v := s.value
	if absent {
		if !s.stored {
			return nil
		}
		v = math.Float64frombits(value.StaleNaN)
	}
	s.stored = !absent
	var err error
	if s.ref, err = app.Append(s.ref, s.labels, at, v); err != nil {
		return fmt.Errorf("%v: %w", s.labels, err)
	}
	return nil
}
