// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestReloadConcurrent reloads while packets are counted, and while metrics are gathered in both ways. No packet is lost.
func TestReloadConcurrent(t *testing.T) {
	const batches, batch = 300, 20
	f := newFeed(t, Config{MaxLabelSets: 30})
	f.now = time.Now() // as that of scrapes: else label sets may seem to have been idle for long
	counted := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(counted)
		for i := range uint32(batches) {
			var messages []nflogtest.Message
			for j := range uint32(batch) {
				messages = append(messages, udpInput(fmt.Sprintf("prefix %d", j), 1+i%3, 100))
			}
			f.count(messages...)
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
	// No packet has a value for the labels that are added and removed, so no label set is forgotten.
	meanwhile(func(i int) error {
		rules := []prefix.Rule{{Match: "none", Labels: map[string]string{fmt.Sprintf("label%d", i%4): "x"}}}
		return f.collector.Reload([]GroupConfig{{Group: 100}, {Group: uint16(i % 3)}}, rules, nil)
	})
	meanwhile(func(int) error {
		if f.collector.Reload(nil, nil, nil) == nil {
			return errors.New("no error of a reload without groups")
		}
		return nil
	})
	meanwhile(func(int) error {
		return gatherText(&bytes.Buffer{}, f.collector)
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.collector)
	meanwhile(func(int) error {
		_, err := registry.Gather()
		return err
	})
	meanwhile(func(int) error {
		f.collector.Groups()
		return nil
	})
	meanwhile(func(int) error {
		ch := make(chan *prometheus.Desc, 100)
		f.collector.Describe(ch)
		return nil
	})
	wg.Wait()

	s := f.snapshot()
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
