// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationCopy copies no payload, a part of it, and all of it.
func TestIntegrationCopy(t *testing.T) {
	tests := []struct {
		name  string
		mode  uint8
		bytes uint32
		parts []nftrules.Part
		want  int // bytes copied, or -1 for no payload
	}{
		{name: "none", mode: nflog.CopyNone, want: -1},
		{name: "none, with a range", mode: nflog.CopyNone, bytes: 64, want: -1},
		{name: "meta", mode: nflog.CopyMeta, want: -1},
		{name: "whole", mode: nflog.CopyPacket, want: packetLen},
		{name: "one byte", mode: nflog.CopyPacket, bytes: 1, want: 1},
		{name: "part", mode: nflog.CopyPacket, bytes: 63, want: 63},
		{name: "more than there is", mode: nflog.CopyPacket, bytes: 65531, want: packetLen},
		{name: "more than the kernel copies", mode: nflog.CopyPacket, bytes: 0xffffffff, want: packetLen},
		{name: "as the rule says", mode: nflog.CopyPacket, bytes: 64, parts: []nftrules.Part{nftrules.Snaplen(30)}, want: 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := everyPacket()
			config.Copymode, config.Bufsize = tt.mode, tt.bytes
			l := newLoopback(t, config)
			l.log(l.output, "copy", tt.parts...)
			must(t, l.rules.Apply())
			l.send(t, 1)
			a := l.takeEqual(t, 1)[0]
			got := -1
			if a.Payload != nil {
				got = len(*a.Payload)
			}
			if got != tt.want {
				t.Errorf("unexpected bytes of payload: %d, want %d", got, tt.want)
			}
		})
	}
}

// TestIntegrationNumbers reads packets with and without sequence numbers.
func TestIntegrationNumbers(t *testing.T) {
	const packets = 3
	for flags := range nflog.FlagSeq | nflog.FlagGlobal + 1 {
		t.Run(fmt.Sprintf("flags %#x", flags), func(t *testing.T) {
			config := everyPacket()
			config.Flags = flags
			l := newLoopback(t, config)
			l.log(l.output, "number")
			must(t, l.rules.Apply())
			l.send(t, packets)
			for i, a := range l.takeEqual(t, packets) {
				var seq, seqGlobal *uint32
				if flags&nflog.FlagSeq != 0 {
					seq = new(uint32(i))
				}
				if flags&nflog.FlagGlobal != 0 {
					// The kernel counts from 1, and each packet twice: once for each group.
					seqGlobal = new(uint32(2*i + 2))
				}
				if diff := cmp.Diff([]*uint32{seq, seqGlobal}, []*uint32{a.Seq, a.SeqGlobal}); diff != "" {
					t.Errorf("unexpected numbers of packet %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// TestIntegrationBatches reads packets in batches of several sizes. The kernel sends
// the last batch of each after the timeout. The values that a hook received do not
// change later.
func TestIntegrationBatches(t *testing.T) {
	const packets = 200
	for _, threshold := range []uint32{0, 1, 2, 7, packets, packets + 1} {
		t.Run(fmt.Sprintf("threshold %d", threshold), func(t *testing.T) {
			config := everyPacket()
			config.QThresh, config.Timeout = threshold, 1
			config.Settings = nflog.GenericGroup
			l := newLoopback(t, config)
			l.log(l.output, "batch")
			must(t, l.rules.Apply())
			l.send(t, packets)
			l.takeEqual(t, packets)
		})
	}
}
