// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// A fakeKernel has one rule after the other. Its time passes only while it works.
type fakeKernel struct {
	gen        uint32
	rules      []Rule
	packets    uint64
	held       []uint16
	unhandled  error // of all requests
	changing   int   // so many dumps are interrupted by a change
	flapping   bool  // every other dump leaves out a rule
	flap       bool
	goneRules  bool
	cost       time.Duration // of a dump, and of counters
	dumps      int
	updates    int
	now        time.Time
	cpuTime    time.Duration
	idleFactor int // how much longer than the CPU time all takes
}

func (k *fakeKernel) work() {
	k.cpuTime += k.cost
	k.now = k.now.Add(k.cost * time.Duration(1+k.idleFactor))
}

func (k *fakeKernel) generation() (uint32, error) { return k.gen, k.unhandled }

func (k *fakeKernel) dump(generation uint32, _ func() bool) (*listing, error) {
	k.dumps++
	k.work()
	if k.changing > 0 {
		k.changing--
		k.gen++
		return nil, errInterrupted
	}
	if k.flapping {
		k.flap = !k.flap
	}
	if generation != k.gen {
		return nil, errInterrupted
	}
	rules := k.rules
	if k.flap {
		rules = rules[1:]
	}
	l := &listing{rules: slices.Clone(rules), packets: make([]uint64, len(rules))}
	for i := range l.packets {
		l.packets[i] = k.packets
	}
	return l, k.unhandled
}

func (k *fakeKernel) updatePackets(_ []Rule, packets []uint64, _ func() bool) (bool, error) {
	k.updates++
	k.work()
	for i := range packets {
		packets[i] = k.packets
	}
	return k.goneRules, k.unhandled
}

func (k *fakeKernel) bound(groups []uint16, _ func() bool) (map[uint16]bool, error) {
	bound := make(map[uint16]bool)
	for _, group := range groups {
		bound[group] = slices.Contains(k.held, group)
	}
	return bound, k.unhandled
}

// A watched is a Watcher of a fakeKernel.
type watched struct {
	t       *testing.T
	watcher Watcher
	kernel  *fakeKernel
	rounds  *rounds
	updates int
}

func watch(t *testing.T, k *fakeKernel) *watched {
	w := &watched{t: t, kernel: k}
	k.now = time.Unix(1_800_000_000, 0)
	w.rounds = newRounds(&w.watcher, k, func(*Facts) { w.updates++ })
	w.rounds.now = func() time.Time { return k.now }
	w.rounds.cpu = func() time.Duration { return k.cpuTime }
	return w
}

// round does one round, lets the time pass until the next, and returns it.
func (w *watched) round() time.Duration {
	w.t.Helper()
	wait, err := w.rounds.round(w.t.Context())
	if err != nil {
		w.t.Fatalf("unexpected error: %v", err)
	}
	w.kernel.now = w.kernel.now.Add(wait)
	return wait
}

// read does rounds until the facts have been read, and checks that they are not read without a pause.
func (w *watched) read() {
	w.t.Helper()
	for range 100 {
		dumps := w.kernel.dumps
		w.round()
		if w.kernel.dumps > dumps && !w.rounds.stale {
			return
		}
	}
	w.t.Fatal("the rules were not read")
}

// use tells the watcher that somebody uses the facts.
func (w *watched) use() { w.watcher.used.Store(w.kernel.now.UnixNano()) }

func TestWatcher(t *testing.T) {
	k := &fakeKernel{gen: 7, rules: []Rule{{Group: 100, Counted: true}, {Group: 101}}, held: []uint16{100}}
	w := watch(t, k)
	if w.watcher.Peek() != nil {
		t.Error("facts before anything is known")
	}
	if wait := w.round(); wait != settleTime {
		t.Errorf("waits for %v before the first dump, want %v", wait, settleTime)
	}
	w.round()
	facts := w.watcher.Peek()
	if len(facts.Rules) != 2 || !facts.Bound[100] || facts.Bound[101] || facts.Changes != 0 || !facts.Changed.IsZero() {
		t.Fatalf("unexpected facts %+v", facts)
	}
	first := facts.Read

	// The generation stays: no dump, and counters only if they are used.
	k.packets = 5
	w.round()
	if facts = w.watcher.Peek(); facts.Packets[0] != 0 || k.dumps != 1 || !facts.Read.After(first) {
		t.Errorf("unexpected facts %+v after %d dumps", facts, k.dumps)
	}
	w.use()
	w.round()
	if next := w.watcher.Peek(); next.Packets[0] != 5 || facts.Packets[0] != 0 || k.dumps != 1 {
		t.Errorf("unexpected facts %+v after %d dumps", next, k.dumps)
	}

	// A change, which leaves the rules alone, and then others.
	k.gen++
	if wait := w.round(); wait != settleTime || k.dumps != 1 {
		t.Errorf("waits for %v after a change, and %d dumps", wait, k.dumps)
	}
	k.gen++ // another meanwhile
	before := &w.watcher.Peek().Rules[0]
	w.read()
	facts = w.watcher.Peek()
	if &facts.Rules[0] != before || facts.Changes != 2 || facts.Changed.IsZero() || k.dumps != 2 {
		t.Errorf("unexpected facts %+v after %d dumps", facts, k.dumps)
	}
	k.rules, k.gen = nil, k.gen+3
	w.read()
	if facts = w.watcher.Peek(); len(facts.Rules) != 0 || facts.Changes != 5 || len(facts.Bound) != 0 {
		t.Errorf("unexpected facts %+v", facts)
	}

	w.watcher.Forget()
	if w.watcher.Facts() != nil {
		t.Error("facts that were forgotten")
	}
	w.rounds = newRounds(&w.watcher, k, func(*Facts) {})
	w.rounds.now = func() time.Time { return k.now }
	w.read()
	if got := w.watcher.Peek().Changes; got != 5 {
		t.Errorf("%d changes, want 5 as before", got)
	}
}

// TestWatcherGenerationWraps checks that the generation, which is never 0, may wrap.
func TestWatcherGenerationWraps(t *testing.T) {
	k := &fakeKernel{gen: 1<<32 - 1}
	w := watch(t, k)
	w.read()
	k.gen = 1
	w.read()
	if got := w.watcher.Peek().Changes; got != 1 { // 0 was skipped
		t.Errorf("%d changes, want 1", got)
	}
}

// TestWatcherInterrupted lets the ruleset change during dumps.
func TestWatcherInterrupted(t *testing.T) {
	k := &fakeKernel{gen: 7, rules: []Rule{{Group: 100}}, changing: 2}
	w := watch(t, k)
	for k.changing > 0 {
		w.round()
	}
	if facts := w.watcher.Peek(); facts != nil {
		t.Errorf("facts of a dump that was interrupted: %+v", facts)
	}
	w.read()
	facts := w.watcher.Peek()
	if len(facts.Rules) != 1 || k.dumps != 3 || facts.Changes != 2 {
		t.Fatalf("unexpected facts %+v after %d dumps", facts, k.dumps)
	}
	read := facts.Read

	// What was known stays, and says how old it is.
	k.changing, k.gen = 1<<30, k.gen+1
	for range 100 {
		w.round()
	}
	if facts = w.watcher.Peek(); len(facts.Rules) != 1 || !facts.Read.Equal(read) || facts.Changes < 50 {
		t.Errorf("unexpected facts %+v, want those of %v", facts, read)
	}
}

// TestWatcherUnsettled lets the ruleset change all the time, but not during dumps: then two dumps have to agree.
func TestWatcherUnsettled(t *testing.T) {
	k := &fakeKernel{gen: 7, rules: []Rule{{Group: 100}, {Group: 101}}, flapping: true}
	w := watch(t, k)
	for range 1000 {
		w.round()
		k.gen++
	}
	if facts := w.watcher.Peek(); facts != nil || k.dumps == 0 {
		t.Errorf("facts of %d dumps that did not agree: %+v", k.dumps, facts)
	}
	k.flapping, k.flap = false, false
	k.dumps = 0
	w.read()
	if k.dumps != 2 {
		t.Errorf("%d dumps, want 2", k.dumps)
	}
	k.gen++
	began := k.now
	for w.rounds.stale || k.dumps == 2 {
		w.round()
		k.gen++
	}
	if took := k.now.Sub(began); took < maxSettle || took > maxSettle+2*Interval || k.dumps != 4 {
		t.Errorf("read after %v in %d dumps, want %v and 4", took, k.dumps, maxSettle)
	}
	// One that settles is read at once.
	began = k.now
	w.read()
	if took := k.now.Sub(began); took > 2*Interval || k.dumps != 5 {
		t.Errorf("read after %v in %d dumps, want 5", took, k.dumps)
	}
}

// TestWatcherGone checks that the rules are read again if one is gone without a change.
func TestWatcherGone(t *testing.T) {
	k := &fakeKernel{gen: 7, rules: []Rule{{Family: Netdev, Counted: true}}, goneRules: true}
	w := watch(t, k)
	w.read()
	w.use()
	w.round()
	k.rules, k.goneRules = nil, false
	w.read()
	if facts := w.watcher.Peek(); len(facts.Rules) != 0 || facts.Changes != 0 || k.dumps != 2 {
		t.Errorf("unexpected facts %+v after %d dumps", facts, k.dumps)
	}
}

// TestWatcherCost checks the share of a CPU that a ruleset costs which changes all the time.
func TestWatcherCost(t *testing.T) {
	for _, cost := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 80 * time.Millisecond, 3 * time.Second} {
		for _, interrupted := range []int{0, 1 << 30} {
			k := &fakeKernel{gen: 1, rules: []Rule{{Counted: true}}, cost: cost, changing: interrupted, idleFactor: 3}
			w := watch(t, k)
			w.round()
			began, cpu := k.now, k.cpuTime
			for range 10_000 {
				w.use()
				k.gen++
				w.round()
			}
			if share := float64(k.cpuTime-cpu) / float64(k.now.Sub(began)); share > 0.005 || k.cpuTime == cpu {
				t.Errorf("%v for a dump: %.3f %% of a CPU, want at most 0.5 %%", cost, 100*share)
			}
		}
	}
}

func TestWatcherFails(t *testing.T) {
	k := &fakeKernel{gen: 7, unhandled: ErrUnsupported}
	w := watch(t, k)
	if _, err := w.rounds.round(t.Context()); !errors.Is(err, ErrUnsupported) || w.watcher.Peek() != nil {
		t.Errorf("unexpected error %v, facts %+v", err, w.watcher.Peek())
	}
	k.unhandled = nil
	w.round()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.rounds.round(ctx); err != nil {
		t.Errorf("unexpected error of a canceled round: %v", err)
	}
}

func TestGroups(t *testing.T) {
	got := groups([]Rule{{Group: 5}, {Group: 1}, {Group: 5}, {Group: 5}, {Group: 1}})
	if want := []uint16{1, 5}; !slices.Equal(got, want) {
		t.Errorf("unexpected groups %v, want %v", got, want)
	}
}
