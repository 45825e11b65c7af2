// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command fast counts the packets of NFLOG group 100 with the Reader of package
// nflog, which lends batches to its caller instead of copying them. It reads the
// same attributes as the C reader, and the hook. On SIGINT or SIGTERM it receives
// the packets that still wait in the kernel, and prints the number of packets and
// the other totals.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

const group = 100

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fast:", err)
		os.Exit(1)
	}
}

// run counts packets until a signal comes, and prints the totals.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
	if err != nil {
		return err
	}
	defer r.Close()
	t, err := read(ctx, r)
	if err != nil {
		return err
	}
	fmt.Println(t.packets, t.bytes, t.devices, t.hooks, t.prefixes)
	return nil
}

// totals are sums over all packets. Most have no meaning but to use the values.
type totals struct {
	packets, bytes           uint64
	devices, hooks, prefixes uint64
}

// read counts packets until the context is done.
func read(ctx context.Context, r *nflog.Reader) (t totals, err error) {
	for batch, err := range r.Batches(ctx) {
		if err != nil {
			return t, err
		}
		for p := range batch.Packets() {
			t.count(p)
		}
	}
	return t, nil
}

// count adds a packet.
func (t *totals) count(p nflog.Packet) {
	t.packets++
	t.bytes += networkLength(p.Payload())
	origin := p.Origin()
	t.devices += uint64(origin.InDev) + uint64(origin.OutDev)
	t.hooks += uint64(origin.Hook)
	if origin.Prefix != "" {
		t.prefixes += uint64(origin.Prefix[0])
	}
}

// networkLength returns the length that the IPv4 or IPv6 header of a packet has.
func networkLength(header []byte) uint64 {
	switch {
	case len(header) >= 20 && header[0]>>4 == 4:
		return uint64(binary.BigEndian.Uint16(header[2:]))
	case len(header) >= 40 && header[0]>>4 == 6:
		return 40 + uint64(binary.BigEndian.Uint16(header[4:]))
	default:
		return 0
	}
}
