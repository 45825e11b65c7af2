// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestReloadConcurrent reloads while packets are counted and metrics constMetric, in both ways. Nothing is lost.
func TestReloadConcurrent(t *testing.T) {
	const batches, batch = 300, 20
	r := newReloaded(t, Config{MaxLabelSets: 30})
	counted := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(counted)
		for i := range uint32(batches) {
			var messages []nflogtest.Message
			for j := range uint32(batch) {
				messages = append(messages, udpInput(fmt.Sprintf("prefix %d", j), 1+i%3, 100))
			}
			r.count(messages...)
		}
	})
	meanwhile := func(fn func(i int) error) {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-counted:
					return
				default:
				}
				if err := fn(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	// Labels come and go that no packet has, so that nothing is forgotten but what is counted for all in common.
	meanwhile(func(i int) error {
		rules := []prefix.Rule{{Match: "none", Labels: map[string]string{fmt.Sprintf("label%d", i%4): "x"}}}
		return r.c.Reload([]GroupConfig{{Group: 100}, {Group: uint16(i % 3)}}, rules)
	})
	meanwhile(func(int) error {
		if r.c.Reload(nil, nil) == nil {
			return errors.New("to read no group is not refused")
		}
		return nil
	})
	meanwhile(func(int) error {
		return gatherText(r.c, &bytes.Buffer{})
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.c)
	meanwhile(func(int) error {
		_, err := registry.Gather()
		return err
	})
	meanwhile(func(int) error {
		r.c.Groups()
		return nil
	})
	meanwhile(func(int) error {
		ch := make(chan *prometheus.Desc, 100)
		r.c.Describe(ch)
		return nil
	})
	wg.Wait()

	s := r.snapshot()
	sum := s.overflow
	for _, set := range s.sets {
		if set.set.overflow == overflowNone {
			sum += set.packets
		}
	}
	if want := uint64(batches * batch); sum != want || s.stats.Packets != want || s.overflow == 0 {
		t.Errorf("%d packets are counted, %d of them under %s; %d were read, want %d", sum, s.overflow, overflowValue, s.stats.Packets, want)
	}
}

// TestReloadGather checks that metrics are the same by either way of gathering, before and after a reload.
func TestReloadGather(t *testing.T) {
	c := newCollector(t)
	bind(c)
	count(c)
	check := func() {
		t.Helper()
		var fast, pedantically bytes.Buffer
		if err := gatherText(c, &fast); err != nil {
			t.Fatal(err)
		}
		families, err := pedantic(c).Gather()
		if err != nil {
			t.Fatal(err)
		}
		if err := writeText(families, &pedantically); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sortedLines(&pedantically), sortedLines(&fast)); diff != "" {
			t.Errorf("the metrics differ (-registry +constMetric):\n%s", diff)
		}
	}
	check()
	rules := []prefix.Rule{{Match: `fw (?P<zone>\w+) (?P<action>\w+):`, Prefix: "fw"}}
	if err := c.Reload([]GroupConfig{{Group: 7}, {Group: 8}, {Group: 100, CopyRange: 64}}, rules); err != nil {
		t.Fatal(err)
	}
	check()
	feedTable(c.groups[2].table).count(udpInput("fw wan drop: ", 2, 100), udpInput("fw lan drop: ", 2, 100), udpInput("", 1, 100))
	check()
	if err := c.Reload([]GroupConfig{{Group: 100}}, nil); err != nil {
		t.Fatal(err)
	}
	check()
}

// gatherText gathers as the exporter does, and writes what it gets.
func gatherText(c *Collector, b *bytes.Buffer) error {
	families, done, err := c.Gather()
	defer done()
	if err != nil {
		return err
	}
	return writeText(families, b)
}

func writeText(families []*dto.MetricFamily, b *bytes.Buffer) error {
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(b, family); err != nil {
			return err
		}
	}
	return nil
}

// sortedLines returns the lines of a text, sorted: metrics of several groups are in their order, and not in that of labels.
func sortedLines(b *bytes.Buffer) []string {
	return slices.Sorted(strings.Lines(b.String()))
}
