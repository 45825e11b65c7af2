// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationHealthy holds up the goroutine that reads a group while packets wait, and lets it go on.
func TestIntegrationHealthy(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	logUDP(t, ns)
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, ns.Path())}})
	r.waitBound(100)
	g := r.c.groups[0]
	queued := func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.stall.since.IsZero() {
			return errors.New("no packets are seen waiting")
		}
		return nil
	}

	now := time.Now()
	g.table.mu.Lock()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		send(t, ns, "127.0.0.1:9", 1)
		r.c.watch(now)
		return queued()
	})
	// Datagrams that are received first begin the time anew.
	for now = time.Now(); ; {
		r.c.watch(now)
		if read := g.lastRead.Load(); g.stall.lastRead == read {
			break
		}
	}
	since := g.stall.since
	r.c.watch(since.Add(maxStall - time.Second))
	if err := r.c.Healthy(); err != nil {
		t.Errorf("unhealthy too early: %v", err)
	}
	r.c.watch(since.Add(maxStall))
	if err := r.c.Healthy(); err == nil || !strings.Contains(err.Error(), "group 100 in "+ns.Path()+" is not read: ") || !strings.HasSuffix(err.Error(), " bytes have waited in its socket for 1m0s; "+stallCure) {
		t.Errorf("unexpected error of a group that is not read: %v", err)
	}

	g.table.mu.Unlock()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		r.c.watch(since.Add(2 * maxStall))
		return r.c.Healthy()
	})
}

// TestHealthyWithoutLook checks that a look at the groups that does not end is an error, too.
func TestHealthyWithoutLook(t *testing.T) {
	c := mustNew(t, Config{Groups: []GroupConfig{{Group: 100}}})
	if err := c.Healthy(); err != nil {
		t.Errorf("unhealthy before Run: %v", err)
	}
	now := time.Now()
	c.watch(now)
	if err := c.health.at(now.Add(maxStall)); err != nil {
		t.Errorf("unhealthy too early: %v", err)
	}
	const want = "the groups can't be looked at: nothing is known of them for 1m1s; " + stallCure
	if err := c.health.at(now.Add(maxStall + time.Second)); err == nil || err.Error() != want {
		t.Errorf("unexpected error: got %v, want %s", err, want)
	}
}
