// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// patience is how long something may take that takes a retry or two.
const patience = 20 * time.Second

// A running is a collector that runs.
type running struct {
	t    *testing.T
	c    *Collector
	logs *recorder
	stop func() // ends it, as the end of the test does
}

// start runs a collector.
func start(t *testing.T, config Config) *running {
	t.Helper()
	r := &running{t: t, logs: &recorder{}}
	config.Logger = r.logs
	var err error
	if r.c, err = New(config); err != nil {
		t.Fatalf("failed to make a collector: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.c.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("the collector does not end")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// wait waits until metrics have the values wanted.
func (r *running) wait(want map[string]float64) {
	r.t.Helper()
	kerneltest.Eventually(r.t, patience, func() error {
		got := samples(r.t, r.c)
		for name, value := range want {
			if got[name] != value {
				return fmt.Errorf("%s is %v, want %v", name, got[name], value)
			}
		}
		return nil
	})
}

func (r *running) waitBound(groups ...uint16) {
	r.t.Helper()
	for _, group := range groups {
		r.wait(map[string]float64{fmt.Sprintf("nflog_up{group=\"%d\"}", group): 1})
	}
}

// breakSocket closes the socket of a group, by its place in the configuration, behind the back of
// who reads it.
func (r *running) breakSocket(i int) {
	r.t.Helper()
	g := r.c.groups[i]
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reader == nil {
		r.t.Fatal("the group is not bound")
	}
	if err := g.reader.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func apply(t *testing.T, rs *nftrules.Ruleset) {
	t.Helper()
	if err := rs.Apply(); err != nil {
		t.Fatal(err)
	}
}

func ruleCount(t *testing.T, rule *nftrules.Rule) (packets, bytes uint64) {
	t.Helper()
	packets, bytes, err := rule.Count()
	if err != nil {
		t.Fatal(err)
	}
	return packets, bytes
}

// send sends packets of UDP.
func send(t *testing.T, ns *netns.NS, to string, packets int) {
	t.Helper()
	if err := traffic.UDP(ns, netip.MustParseAddrPort(to), packets, 20); err != nil {
		t.Fatal(err)
	}
}

// sink receives packets of UDP, so that nobody answers them with ICMP.
func sink(t *testing.T, ns *netns.NS, addrs ...string) {
	t.Helper()
	for _, addr := range addrs {
		s, err := traffic.Sink(ns, netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
}
