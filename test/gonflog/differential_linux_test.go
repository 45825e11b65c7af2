// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"context"
	"fmt"
	"testing"

	gonflog "github.com/florianl/go-nflog/v2"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// The groups that each packet is logged to, in this order.
const (
	theirGroup uint16 = 100 // read by go-nflog
	ourGroup   uint16 = 200 // read by package nflog
)

// A differential reads the same packets of a namespace with both libraries.
type differential struct {
	ns           *netns.NS
	theirs, ours recorder

	rules  *nftrules.Ruleset
	logged [2][]*nftrules.Rule // rules for theirGroup and for ourGroup
	taken  int                 // messages of each group that take has returned

	// unstamped says that the kernel does not timestamp the packets on receipt; see
	// stampPackets.
	unstamped bool
}

// everyPacket returns a configuration with which the kernel copies whole packets and
// sends each at once.
func everyPacket() nflog.Config {
	return nflog.Config{Flags: nflog.FlagSeq, Copymode: nflog.CopyPacket, QThresh: 1}
}

// newDifferential reads in the namespace until the end of the test. It sets the
// group, the namespace and the logger of the configuration.
func newDifferential(t testing.TB, ns *netns.NS, config nflog.Config) *differential {
	t.Helper()
	d := &differential{ns: ns, rules: nftrules.New(ns)}
	t.Cleanup(func() {
		d.theirs.checkEnd(t, "go-nflog")
		d.ours.checkEnd(t, "nflog")
	})
	ctx, cancel := context.WithCancel(context.Background())

	theirs, err := gonflog.Open(&gonflog.Config{
		NetNS:    ns.FD(),
		Group:    theirGroup,
		Flags:    config.Flags,
		Copymode: config.Copymode,
		Bufsize:  config.Bufsize,
		QThresh:  config.QThresh,
		Timeout:  config.Timeout,
		Settings: config.Settings,
		Logger:   &d.theirs,
	})
	must(t, err)
	t.Cleanup(func() {
		d.theirs.end()
		cancel() // Close of go-nflog waits for it
		must(t, theirs.Close())
	})
	hook := func(a gonflog.Attribute) int { return d.theirs.hook(convert(a)) }
	must(t, theirs.RegisterWithErrorFunc(ctx, hook, d.theirs.failed))

	config.NetNS, config.Group, config.Logger = ns.FD(), ourGroup, &d.ours
	ours, err := nflog.Open(&config)
	must(t, err)
	t.Cleanup(func() {
		d.ours.end()
		must(t, ours.Close())
	})
	must(t, ours.RegisterWithErrorFunc(ctx, d.ours.hook, d.ours.failed))
	return d
}

// log adds two rules, one after the other, that log the packets which match every
// part: the first to theirGroup, the second to ourGroup.
func (d *differential) log(chain *nftrules.ChainRules, prefix string, parts ...nftrules.Part) {
	for i, group := range []uint16{theirGroup, ourGroup} {
		d.logged[i] = append(d.logged[i], chain.Log(group, prefix, parts...))
	}
}

// take waits until exactly n more messages were logged to each group and read, and
// returns them.
func (d *differential) take(t testing.TB, n int) (theirs, ours messages) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		for i, logged := range d.logged {
			total, err := count(logged)
			if err != nil {
				return err
			}
			if got := total - d.taken; got != n {
				return fmt.Errorf("rules %d logged %d packets, want %d", i, got, n)
			}
		}
		if err := d.theirs.await(n); err != nil {
			return fmt.Errorf("go-nflog: %w", err)
		}
		if err := d.ours.await(n); err != nil {
			return fmt.Errorf("nflog: %w", err)
		}
		return nil
	})
	d.taken += n
	return d.theirs.take(), d.ours.take()
}

// takeEqual is like take. It also compares all values of all packets, and returns the packets.
func (d *differential) takeEqual(t testing.TB, n int) []nflog.Attribute {
	t.Helper()
	theirs, ours := d.take(t, n)
	if len(theirs.log) != 0 || len(ours.log) != 0 {
		t.Errorf("unexpected log of go-nflog: %q, of nflog: %q", theirs.log, ours.log)
	}
	if len(theirs.packets) != n || len(ours.packets) != n {
		t.Fatalf("go-nflog has read %d packets, nflog %d, want %d", len(theirs.packets), len(ours.packets), n)
	}
	for i, want := range theirs.packets {
		compare(t, want, ours.packets[i], d.unstamped)
	}
	return ours.packets
}

// count returns how many packets the rules have counted.
func count(counters []*nftrules.Rule) (int, error) {
	var sum uint64
	for _, rule := range counters {
		packets, _, err := rule.Count()
		if err != nil {
			return 0, err
		}
		sum += packets
	}
	return int(sum), nil
}
