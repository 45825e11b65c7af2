// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// Interval is how often the kernel is asked for the generation of the ruleset.
	Interval = 5 * time.Second

	// settleTime is how long a ruleset that has changed is left alone, and twice as long as it took to list it. While the kernel
	// carries out a change, it already shows the new generation, but removes rules from its lists. A dump that goes on after that
	// leaves out others, and its generation does not show it (nf_tables_commit and nf_tables_dump_rules of
	// net/netfilter/nf_tables_api.c).
	settleTime = 100 * time.Millisecond

	// maxSettle is how long to wait for a ruleset that changes all the time. Then it has to be listed twice.
	maxSettle = 30 * time.Second

	// costFactor is how many times longer than it computed for rules and counters the watcher then asks for the generation alone.
	costFactor = 400

	// useTime is how long counters are read after somebody has asked for the facts.
	useTime = 5 * time.Minute
)

// A kernel answers what the watcher asks. It is a Conn.
type kernel interface {
	generation() (uint32, error)
	dump(generation uint32, canceled func() bool) (*listing, error)
	updatePackets(rules []Rule, packets []uint64, canceled func() bool) (gone bool, err error)
	bound(groups []uint16, canceled func() bool) (map[uint16]bool, error)
}

// A Watcher keeps facts about the ruleset of a network namespace up to date. Its zero value is ready for use.
type Watcher struct {
	facts atomic.Pointer[Facts] // nil before the first
	used  atomic.Int64          // when Facts was last called, in nanoseconds since 1970

	// Of all facts so far. They belong to Run.
	changes uint64
	changed time.Time
}

// Facts returns what is known, or nil if nothing is. It does not wait.
func (w *Watcher) Facts() *Facts {
	w.used.Store(time.Now().UnixNano())
	return w.facts.Load()
}

// Peek returns what Facts returns, but does not cause counters to be read.
func (w *Watcher) Peek() *Facts { return w.facts.Load() }

// Forget forgets all facts but the changes. It must not be called while Run runs.
func (w *Watcher) Forget() { w.facts.Store(nil) }

// Run keeps the facts up to date until the context ends, or the kernel can't be asked. updated is called after each change of the
// facts. A Watcher runs once at a time.
func (w *Watcher) Run(ctx context.Context, c *Conn, updated func(*Facts)) error {
	r := newRounds(w, c, updated)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait, err := r.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		timer.Reset(wait)
	}
}

// rounds are the rounds of a Run, in which the kernel is asked.
type rounds struct {
	watcher *Watcher
	kernel  kernel
	updated func(*Facts)
	now     func() time.Time
	cpu     func() time.Duration // of the calling thread

	generation uint32        // when last asked; 0 before
	moved      time.Time     // when it was first seen
	settle     time.Duration // see settleTime
	stale      bool          // the rules have to be read
	staleSince time.Time
	notBefore  time.Time // of another read

	facts Facts
	known bool // there are facts
}

func newRounds(w *Watcher, k kernel, updated func(*Facts)) *rounds {
	return &rounds{watcher: w, kernel: k, updated: updated, now: time.Now, cpu: threadTime, settle: settleTime}
}

// round asks once, and returns the time until it should do so again.
func (r *rounds) round(ctx context.Context) (time.Duration, error) {
	if err := r.askGeneration(); err != nil {
		return 0, err
	}
	if wait := r.wait(); wait > 0 {
		r.publish()
		return min(wait, Interval), nil
	}

	// The CPU time is that of the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	canceled := func() bool { return ctx.Err() != nil }
	began := r.cpu()
	err := r.read(canceled)
	r.notBefore = r.now().Add(costFactor * (r.cpu() - began))
	if err != nil || canceled() {
		return 0, err
	}
	r.publish()
	if r.stale {
		return min(max(r.wait(), settleTime), Interval), nil
	}
	return Interval, nil
}

// wait returns how long to wait before rules or counters are read, 0 or less for not at all.
func (r *rounds) wait() time.Duration {
	now := r.now()
	wait := r.notBefore.Sub(now)
	if r.stale && now.Sub(r.staleSince) < maxSettle {
		wait = max(wait, r.moved.Add(r.settle).Sub(now))
	}
	return wait
}

// askGeneration asks for the generation. If it has moved, the rules are stale.
func (r *rounds) askGeneration() error {
	generation, err := r.kernel.generation()
	if err != nil || generation == r.generation {
		return err
	}
	r.moved = r.now()
	if r.generation != 0 {
		changes := generation - r.generation
		if generation < r.generation { // it skips 0
			changes--
		}
		r.watcher.changes += uint64(changes)
		r.watcher.changed = r.moved
	}
	r.generation = generation
	r.setStale()
	return nil
}

func (r *rounds) setStale() {
	if !r.stale {
		r.stale, r.staleSince = true, r.now()
	}
}

// read reads the rules if they have changed, else their counters, and who reads their groups.
func (r *rounds) read(canceled func() bool) error {
	if r.stale {
		if err := r.dump(canceled); err != nil {
			return err
		}
	} else if r.inUse() {
		packets := slices.Clone(r.facts.Packets)
		gone, err := r.kernel.updatePackets(r.facts.Rules, packets, canceled)
		if err != nil || canceled() {
			return err
		}
		if gone {
			r.setStale()
		}
		r.facts.Packets = packets
	}
	if !r.known {
		return nil
	}
	bound, err := r.kernel.bound(groups(r.facts.Rules), canceled)
	if err != nil || canceled() {
		return err
	}
	r.facts.Bound, r.facts.Counted = bound, r.now()
	return nil
}

// inUse reports whether anybody asks for the facts.
func (r *rounds) inUse() bool {
	return r.now().Sub(time.Unix(0, r.watcher.used.Load())) < useTime
}

// dump reads the rules. It leaves them stale if they change meanwhile.
func (r *rounds) dump(canceled func() bool) error {
	began := r.now()
	settled := began.Sub(r.moved) >= r.settle
	l, err := r.kernel.dump(r.generation, canceled)
	r.settle = settleTime + 2*r.now().Sub(began)
	if err == nil && !settled {
		first := l
		if l, err = r.kernel.dump(r.generation, canceled); err == nil && !slices.Equal(first.rules, l.rules) {
			err = errInterrupted
		}
	}
	switch {
	case canceled(), errors.Is(err, errInterrupted):
		return nil
	case err != nil:
		return err
	}
	if !r.known || !slices.Equal(r.facts.Rules, l.rules) {
		r.facts.Rules = slices.Clip(l.rules)
	}
	r.facts.Packets, r.facts.Folded = l.packets, l.folded
	r.stale, r.known = false, true
	return nil
}

// publish shows the facts. The rules are up to date if the generation has not moved since they were read.
func (r *rounds) publish() {
	if !r.known {
		return
	}
	if !r.stale {
		r.facts.Read = r.now()
	}
	facts := r.facts
	facts.Changes, facts.Changed = r.watcher.changes, r.watcher.changed
	r.watcher.facts.Store(&facts)
	r.updated(&facts)
}
