// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// A running is a collector that runs.
type running struct {
	t    *testing.T
	c    *Collector
	logs *logRecorder
	stop func() // ends Run, as the end of the test does
}

// start runs a collector.
func start(t *testing.T, config Config) *running {
	t.Helper()
	r := &running{t: t, logs: &logRecorder{}}
	config.Logger = r.logs
	r.c = mustNew(t, config)
	r.stop = runCollector(t, r.c)
	return r
}

// promptGroup returns the configuration of a group in a network namespace. The kernel delivers its packets within 10 ms.
func promptGroup(group uint16, netns string) GroupConfig {
	return GroupConfig{Group: group, NetNS: netns, QueueTimeout: 10 * time.Millisecond}
}

// wait waits until samples have these values.
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

// waitBound waits until groups are bound.
func (r *running) waitBound(groups ...uint16) {
	r.t.Helper()
	for _, group := range groups {
		r.wait(map[string]float64{fmt.Sprintf("nflog_up{group=\"%d\"}", group): 1})
	}
}

// waitHeld waits until that many attempts to bind group 100 have failed because another socket holds it.
func (r *running) waitHeld(attempts float64) {
	r.t.Helper()
	kerneltest.Eventually(r.t, patience, func() error {
		if n := samples(r.t, r.c)[`nflog_bind_failures_total{group="100",reason="held"}`]; n < attempts {
			return fmt.Errorf("%v failures, want %v", n, attempts)
		}
		return nil
	})
}

// breakSocket closes the socket of the group at that place in the configuration, while its reader uses it.
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
