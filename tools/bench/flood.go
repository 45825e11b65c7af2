// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// floodPort is the destination port of the flood. Nobody listens there: the
// last rule drops the packets.
const floodPort = 9

// testbed is a network namespace with rules that log the flood.
type testbed struct {
	ns   *netns.NS
	load load
	drop *nftrules.Rule // after the rules that log: it counts each packet once
}

// newTestbed makes the namespace and the rules for l.
func newTestbed(l load) (*testbed, error) {
	ns, err := netns.New()
	if err != nil {
		return nil, err
	}
	set := nftrules.New(ns)
	input := set.Chain(nftrules.Chain{Hook: nftrules.Input})
	for i := range l.rules {
		input.Log(group, fmt.Sprintf("bench-%03d: ", i%l.prefixes), nftrules.UDPPort(floodPort))
	}
	drop := input.Rule(nftrules.UDPPort(floodPort), nftrules.Drop())
	if err := set.Apply(); err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return &testbed{ns: ns, load: l, drop: drop}, nil
}

// flood sends the packets from cpu and returns the time that it took. The time
// includes the rules: for packets to loopback, the kernel runs them within the
// sender's system call.
func (b *testbed) flood(ctx context.Context, cpu int) (time.Duration, error) {
	to := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if b.load.ipv6 {
		to = netip.IPv6Loopback()
	}
	var took time.Duration
	err := onCPU(cpu, func() error {
		start := time.Now()
		_, err := traffic.Flood(ctx, b.ns, netip.AddrPortFrom(to, floodPort), b.load.packets, b.load.size, b.load.pps)
		took = time.Since(start)
		return err
	})
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return took, err
}

// logged returns how many packets the rules have logged.
func (b *testbed) logged() (uint64, error) {
	packets, _, err := b.drop.Count()
	return packets * uint64(b.load.rules), err
}

// onCPU calls fn on a thread that is bound to cpu.
func onCPU(cpu int, fn func() error) (err error) {
	// Goroutines that fn starts are not bound: the runtime starts no thread from a
	// locked one, so none inherits the CPU.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	if err := bindThread(cpu); err != nil {
		return err
	}
	defer func() {
		restored := unix.SchedSetaffinity(0, &before)
		err = errors.Join(err, os.NewSyscallError("sched_setaffinity", restored))
	}()
	return fn()
}

// bindThread binds the calling thread, which must be locked, to cpu.
func bindThread(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &set))
}
