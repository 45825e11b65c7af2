// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command compatible counts the packets of NFLOG group 100 by prefix, with the compatible face of package nflog, in
// the way that go-nflog's documentation shows. On SIGINT or SIGTERM it prints the number of packets.
//
// With another import path it is a program for go-nflog: bench builds it both ways, and a test in test/gonflog runs both.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/mdlayher/netlink"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Settings of the group.
const (
	group        = 100
	copyRange    = 128
	socketBuffer = 16 << 20
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compatible:", err)
		os.Exit(1)
	}
}

// run counts packets until a signal comes, and prints their number.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var t totals
	nf, err := read(ctx, t.count)
	if err != nil {
		return err
	}
	<-ctx.Done()
	if err := nf.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	fmt.Fprintln(os.Stdout, t.packets())
	return nil
}

// read opens the group and calls hook with each of its packets until the context
// ends.
func read(ctx context.Context, hook nflog.HookFunc) (*nflog.Nflog, error) {
	nf, err := nflog.Open(&nflog.Config{Group: group, Copymode: nflog.CopyPacket, Bufsize: copyRange})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if err := nf.Con.SetReadBuffer(socketBuffer); err != nil {
		return nil, errors.Join(fmt.Errorf("set read buffer: %w", err), nf.Close())
	}
	// With this option a full buffer still loses packets, but read calls don't fail with ENOBUFS.
	if err := nf.SetOption(netlink.NoENOBUFS, true); err != nil {
		return nil, errors.Join(fmt.Errorf("set option: %w", err), nf.Close())
	}
	failed := func(err error) int {
		if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "compatible:", err)
		}
		return 0
	}
	if err := nf.RegisterWithErrorFunc(ctx, hook, failed); err != nil {
		return nil, errors.Join(fmt.Errorf("register: %w", err), nf.Close())
	}
	return nf, nil
}

// totals counts packets by prefix. Its zero value is ready to use.
type totals struct {
	mu       sync.Mutex
	byPrefix map[string]*counts
}

// counts are those of one prefix.
type counts struct {
	packets uint64
	bytes   uint64 // copied by the kernel
}

// count counts a packet.
func (t *totals) count(a nflog.Attribute) int {
	var prefix string
	if a.Prefix != nil {
		prefix = *a.Prefix
	}
	var length int
	if a.Payload != nil {
		length = len(*a.Payload)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byPrefix[prefix]
	if c == nil {
		c = &counts{}
		if t.byPrefix == nil {
			t.byPrefix = make(map[string]*counts)
		}
		t.byPrefix[prefix] = c
	}
	c.packets++
	c.bytes += uint64(length)
	return 0
}

// packets returns the number of packets of all prefixes.
func (t *totals) packets() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var n uint64
	for _, c := range t.byPrefix {
		n += c.packets
	}
	return n
}
