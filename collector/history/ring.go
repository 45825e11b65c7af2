// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "math"

// A ring counts events by steps of time, which have consecutive numbers from 0 on: the step that is under way, and as many before
// it as there is room for.
type ring struct {
	counts []uint32
	last   int64 // the step under way
}

// newRing returns a ring for a number of whole steps, and the one under way.
func newRing(steps int) ring { return ring{counts: make([]uint32, steps+1)} }

// advance makes a step the one under way. Earlier ones than the present stay as they are.
func (r *ring) advance(step int64) {
	if step-r.last >= int64(len(r.counts)) {
		clear(r.counts)
		r.last = step
	}
	for r.last < step {
		r.last++
		r.counts[r.last%int64(len(r.counts))] = 0
	}
}

// add counts events of a step.
func (r *ring) add(step int64, events uint64) {
	r.advance(step)
	if r.has(step) {
		c := &r.counts[step%int64(len(r.counts))]
		*c = uint32(min(uint64(*c)+events, math.MaxUint32))
	}
}

func (r *ring) has(step int64) bool {
	return step >= 0 && step <= r.last && step > r.last-int64(len(r.counts))
}

// between returns the counts of the steps from one to before another, oldest first: 0 for what the ring does not have.
func (r *ring) between(from, to int64) []uint32 {
	counts := make([]uint32, 0, max(0, to-from))
	for step := from; step < to; step++ {
		var n uint32
		if r.has(step) {
			n = r.counts[step%int64(len(r.counts))]
		}
		counts = append(counts, n)
	}
	return counts
}

// sum returns the sum of those counts.
func (r *ring) sum(from, to int64) (sum uint64) {
	for _, n := range r.between(from, to) {
		sum += uint64(n)
	}
	return sum
}
