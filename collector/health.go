// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// maxStall is how long packets may wait in a socket while nobody reads it. A reader that works comes back within
	// milliseconds.
	maxStall = time.Minute

	// healthInterval is the time between two looks at all groups.
	healthInterval = 10 * time.Second
)

// health is what the last look at all groups has found. It has a lock of its own: what holds up a group must not hold up
// the answer to whether that is so.
type health struct {
	mu   sync.Mutex // guards what follows
	last time.Time  // zero while the Collector does not run
	err  error
}

// stallCure says what to do where the exporter stands still.
const stallCure = "give the exporter CPU; if it has enough, send it SIGQUIT, which ends it, and report what that prints"

// Healthy returns an error if the Collector can't do its work any more: the goroutine that reads a group has not come back
// to its socket for a minute, although packets wait there.
func (c *Collector) Healthy() error { return c.health.at(time.Now()) }

func (h *health) at(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if since := now.Sub(h.last); !h.last.IsZero() && since > maxStall {
		return fmt.Errorf("the groups can't be looked at: nothing is known of them for %v; %s", since.Round(time.Second), stallCure)
	}
	return h.err
}

func (h *health) set(last time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last, h.err = last, err
}

// watchUntil looks at all groups again and again.
func (c *Collector) watchUntil(ctx context.Context) {
	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()
	for c.watch(time.Now()); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case now := <-ticker.C:
			c.watch(now)
		}
	}
	c.health.set(time.Time{}, nil)
}

// watch looks at all groups.
func (c *Collector) watch(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, g := range c.groups {
		errs = append(errs, g.stalled(now))
	}
	c.health.set(now, errors.Join(errs...))
}

// A stall is a time in which packets waited in a group's socket and nobody read it.
type stall struct {
	since    time.Time // when it was first seen, zero for none
	lastRead int64     // before it
}

// stalled returns an error if nobody has read the group for maxStall although packets wait.
func (g *group) stalled(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	last := g.lastRead.Load()
	switch {
	case g.reader == nil || g.socket.Queued == 0:
		g.stall = stall{}
	case g.stall.since.IsZero() || g.stall.lastRead != last:
		g.stall = stall{since: now, lastRead: last}
	}
	if g.stall.since.IsZero() || now.Sub(g.stall.since) < maxStall {
		return nil
	}
	name := fmt.Sprintf("group %d", g.config.Group)
	if g.config.NetNS != "" {
		name += " in " + g.config.NetNS
	}
	return fmt.Errorf("%s is not read: %d bytes have waited in its socket for %v; %s", name, g.socket.Queued, now.Sub(g.stall.since).Round(time.Second), stallCure)
}
