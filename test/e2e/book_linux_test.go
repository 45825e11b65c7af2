// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// bookTimeout is how long the exporter's numbers may lag.
const bookTimeout = 20 * time.Second

// A counter is a rule that logs to the group and counts what it logs.
type counter interface {
	Count() (packets, bytes uint64, err error)
}

// An entry is a rule and what the exporter has to make of its packets.
type entry struct {
	counter
	labels labels

	// extra is how many bytes of each packet the rule counts beyond the network
	// layer's.
	extra uint64

	// sizeless says that the length of the packets can't be known.
	sizeless bool
}

// A book holds all rules that log to the group.
type book []entry

// add adds a rule whose packets get those labels.
func (b *book) add(c counter, l labels) {
	b.addEntry(entry{counter: c, labels: l})
}

// addEntry adds a rule.
func (b *book) addEntry(e entry) {
	e.labels.Group = strconv.Itoa(group)
	*b = append(*b, e)
}

// log adds a rule to a chain, for packets that match every part, whose prefix is
// that of the labels.
func (b *book) log(chain *nftrules.ChainRules, l labels, parts ...nftrules.Part) {
	b.add(chain.Log(group, l.Prefix, parts...), l)
}

// want returns what the exporter has to show, which is nothing of a rule that
// has logged nothing.
func (b book) want() (map[labels]counts, error) {
	sets := make(map[labels]counts)
	for _, e := range b {
		packets, bytes, err := e.Count()
		if err != nil {
			return nil, fmt.Errorf("%+v: %w", e.labels, err)
		}
		if packets == 0 {
			continue
		}
		set := sets[e.labels]
		set.Packets += packets
		if !e.sizeless {
			set.Bytes += bytes - packets*e.extra
			set.Sized += packets
		}
		sets[e.labels] = set
	}
	return sets, nil
}

// check checks that what the exporter counts under each combination of labels
// becomes exactly what the rules have counted, and that nothing was lost.
func (b book) check(t *testing.T, e *exporter) {
	t.Helper()
	want, s := b.balance(t, e)
	if err := s.expect(0, "nflog_lost_packets_total"); err != nil {
		t.Fatal(err)
	}
	got, err := s.labelSets()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected counts (-rules +exporter):\n%s", diff)
	}
}

// balance waits until packets counted and packets lost are together as many as
// the rules have logged, and returns what those were and what was scraped.
func (b book) balance(t *testing.T, e *exporter) (want map[labels]counts, s scrape) {
	t.Helper()
	kerneltest.Eventually(t, bookTimeout, func() error {
		var err error
		if want, err = b.want(); err != nil {
			return err
		}
		if s, err = e.scrape(t.Context()); err != nil {
			return err
		}
		var logged uint64
		for _, c := range want {
			logged += c.Packets
		}
		counted, lost := s.packets(), s.value("nflog_lost_packets_total")
		if counted+lost != float64(logged) {
			return fmt.Errorf("%.0f packets counted and %.0f lost, but %d were logged", counted, lost, logged)
		}
		return nil
	})
	return want, s
}

// packets returns how many packets the exporter has counted.
func (s scrape) packets() float64 {
	var sum float64
	for _, m := range s["nflog_packets_total"].GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	return sum
}
