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
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// bookTimeout is how long the exporter's counters may lag behind the rules'.
const bookTimeout = 20 * time.Second

// A counter is a rule that logs to the group and counts the packets that it logs.
type counter interface {
	Count() (packets, bytes uint64, err error)
}

// An entry is a rule and the labels that its packets must have.
type entry struct {
	counter
	labels labels

	// extra is the number of bytes that the rule counts for each packet beyond its
	// length at the network layer.
	extra uint64

	// sizeless says that the exporter can't know the length of the packets.
	sizeless bool
}

// A book holds all rules that log to the group.
type book []entry

// add adds a rule whose packets must have these labels.
func (b *book) add(c counter, l labels) {
	b.addEntry(entry{counter: c, labels: l})
}

// addEntry adds a rule.
func (b *book) addEntry(e entry) {
	e.labels.Group = strconv.Itoa(group)
	*b = append(*b, e)
}

// log adds a rule to a chain for packets that match every part. The labels give
// its prefix.
func (b *book) log(chain *nftrules.ChainRules, l labels, parts ...nftrules.Part) {
	b.add(chain.Log(group, l.Prefix, parts...), l)
}

// want returns the counts that the exporter must expose. A rule that has logged
// nothing has none.
func (b book) want() (map[labels]counts, error) {
	sets := make(map[labels]counts)
	rules := make(map[*nftrules.Rule]*nftrules.Rule)
	for _, e := range b {
		if rule, ok := e.counter.(*nftrules.Rule); ok {
			rules[rule] = rule
		}
	}
	ruleCounts, err := nftrules.Counts(rules)
	if err != nil {
		return nil, err
	}
	for _, e := range b {
		var packets, bytes uint64
		if rule, ok := e.counter.(*nftrules.Rule); ok {
			packets, bytes = ruleCounts[rule].Packets, ruleCounts[rule].Bytes
		} else if packets, bytes, err = e.Count(); err != nil {
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

// check waits until the exporter has accounted for every packet, and checks that
// each label set has exactly the counts of its rules, and that no packet was lost.
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

// logOutput logs the UDP packets that a namespace sends to its own port discard.
// They are received and ignored.
func logOutput(t *testing.T, ns *netns.NS, prefix string) book {
	t.Helper()
	sink(t, ns)
	rs := nftrules.New(ns)
	var b book
	b.log(
		rs.Chain(nftrules.Chain{Hook: nftrules.Output}),
		labels{Prefix: prefix, Family: "ip", Hook: "output", Out: "lo", Protocol: "udp"},
		nftrules.UDPPort(discard),
	)
	must(t, rs.Apply())
	return b
}

// balance waits until the packets counted and the packets lost add up to those
// that the rules have logged. It returns the counts of the rules and the scrape.
//
// A loss shows only with the next packet, so a test that may lose packets must
// log one more before (logOneMore).
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
