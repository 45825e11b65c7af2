// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// datagramOf returns a datagram of packets with these sequence numbers.
func datagramOf(seqs ...uint32) []byte {
	var datagram []byte
	for _, seq := range seqs {
		datagram = append(datagram, good(seq)...)
	}
	if len(seqs) > 1 {
		datagram = nflogtest.Done(datagram)
	}
	return datagram
}

func TestLost(t *testing.T) {
	malformed := packet(header(), number(1), attr(attrMark, 0))
	tests := []struct {
		name      string
		datagrams [][]byte
		want      []uint64 // lost packets, per datagram
	}{
		{
			name:      "nothing",
			datagrams: [][]byte{datagramOf(0, 1, 2), datagramOf(3), datagramOf(4, 5)},
			want:      []uint64{0, 0, 0},
		},
		{
			name:      "before the first packet",
			datagrams: [][]byte{datagramOf(17, 18), datagramOf(19)},
			want:      []uint64{17, 0},
		},
		{
			name:      "between datagrams",
			datagrams: [][]byte{datagramOf(0, 1), datagramOf(5, 6), datagramOf(8)},
			want:      []uint64{0, 3, 1},
		},
		{
			name:      "inside a datagram",
			datagrams: [][]byte{datagramOf(0, 2, 3, 7), datagramOf(8)},
			want:      []uint64{4, 0},
		},
		{
			name:      "up to the highest number and wrapped",
			datagrams: [][]byte{datagramOf(math.MaxUint32-1, math.MaxUint32, 0), datagramOf(1)},
			want:      []uint64{math.MaxUint32 - 1, 0},
		},
		{
			name:      "gap at the wrap",
			datagrams: [][]byte{datagramOf(math.MaxUint32 - 1), datagramOf(2), datagramOf(3)},
			want:      []uint64{math.MaxUint32 - 1, 3, 0},
		},
		{
			name:      "more than 32 bits",
			datagrams: [][]byte{datagramOf(math.MaxUint32), datagramOf(math.MaxUint32), datagramOf(0)},
			want:      []uint64{math.MaxUint32, math.MaxUint32, 0},
		},
		{
			name:      "malformed inside",
			datagrams: [][]byte{slices.Concat(good(0), malformed, good(2))},
			want:      []uint64{1},
		},
		{
			name:      "malformed at the end",
			datagrams: [][]byte{slices.Concat(good(0), malformed), datagramOf(2)},
			want:      []uint64{0, 1},
		},
		{
			name:      "only malformed",
			datagrams: [][]byte{datagramOf(0), malformed, {}, datagramOf(4)},
			want:      []uint64{0, 0, 0, 3},
		},
		{
			name:      "rest of a datagram skipped",
			datagrams: [][]byte{slices.Concat(good(0), withLength(good(1), 3), good(2)), datagramOf(3)},
			want:      []uint64{0, 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := nflog.NewDecoder(group)
			var got []uint64
			var sum, numbered uint64
			for _, datagram := range tt.datagrams {
				batch := d.Decode(datagram)
				for p := range batch.Packets() {
					seq, ok := p.Seq()
					if !ok {
						t.Fatal("packet without a sequence number")
					}
					// How many packets the kernel has numbered so far, beyond 32 bits.
					numbered += uint64(seq+1-uint32(numbered)-1) + 1
					if stats := batch.Stats(); stats.Packets+stats.Lost != numbered {
						t.Errorf("unexpected packets + lost after packet %d: %d + %d, want %d", seq, stats.Packets, stats.Lost, numbered)
					}
				}
				got = append(got, batch.Lost())
				sum += batch.Lost()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected losses (-want +got):\n%s", diff)
			}
			if lost := d.Stats().Lost; lost != sum {
				t.Errorf("unexpected sum of losses: %d, want %d", lost, sum)
			}
		})
	}
}

// TestBatchLeft leaves loops before the batch ends.
func TestBatchLeft(t *testing.T) {
	d := nflog.NewDecoder(group)
	batch := d.Decode(slices.Concat(datagramOf(0, 1, 4, 5), good(9)))
	take := func(n int) (seqs []uint32) {
		for p := range batch.Packets() {
			seq, _ := p.Seq()
			seqs = append(seqs, seq)
			if len(seqs) == n {
				break
			}
		}
		return seqs
	}
	check := func(state string, want nflog.Stats, wantLost uint64, wantPublished nflog.Stats) {
		t.Helper()
		if diff := cmp.Diff(want, batch.Stats()); diff != "" {
			t.Errorf("unexpected stats of the batch %s (-want +got):\n%s", state, diff)
		}
		if lost := batch.Lost(); lost != wantLost {
			t.Errorf("unexpected loss of the batch %s: %d, want %d", state, lost, wantLost)
		}
		if diff := cmp.Diff(wantPublished, d.Stats()); diff != "" {
			t.Errorf("unexpected stats of the decoder %s (-want +got):\n%s", state, diff)
		}
	}

	check("before", nflog.Stats{Datagrams: 1}, 0, nflog.Stats{})
	if diff := cmp.Diff([]uint32{0, 1}, take(2)); diff != "" {
		t.Errorf("unexpected packets at first (-want +got):\n%s", diff)
	}
	check("left", nflog.Stats{Packets: 2, Datagrams: 1}, 0, nflog.Stats{})
	if diff := cmp.Diff([]uint32{4}, take(1)); diff != "" {
		t.Errorf("unexpected packets in the second loop (-want +got):\n%s", diff)
	}
	check("left again", nflog.Stats{Packets: 3, Lost: 2, Datagrams: 1}, 2, nflog.Stats{})

	// The remaining packets count, with their losses, before the next batch.
	batch = d.Decode(datagramOf(10, 12))
	left := nflog.Stats{Packets: 5, Lost: 5, Datagrams: 1}
	all := nflog.Stats{Packets: 7, Lost: 6, Datagrams: 2}
	check("followed", nflog.Stats{Packets: 5, Lost: 5, Datagrams: 2}, 0, left)
	if diff := cmp.Diff([]uint32{10, 12}, take(3)); diff != "" {
		t.Errorf("unexpected packets of the second batch (-want +got):\n%s", diff)
	}
	check("at the end", all, 1, all)
	if got := take(1); got != nil {
		t.Errorf("unexpected packets after the end: %v", got)
	}
	check("after the end", all, 1, all)

	// A batch that is not read counts too.
	d.Decode(datagramOf(13, 14))
	d.Decode(nil)
	want := nflog.Stats{Packets: 9, Lost: 6, Datagrams: 3}
	if diff := cmp.Diff(want, d.Stats()); diff != "" {
		t.Errorf("unexpected stats of a batch that was not read (-want +got):\n%s", diff)
	}
}

// TestBatchNested reads a batch in nested loops.
func TestBatchNested(t *testing.T) {
	batch := nflog.NewDecoder(group).Decode(datagramOf(0, 1, 2, 3))
	var outer, inner []uint32
	for p := range batch.Packets() {
		seq, _ := p.Seq()
		outer = append(outer, seq)
		for p := range batch.Packets() {
			seq, _ := p.Seq()
			inner = append(inner, seq)
			if len(inner) == 2 {
				break
			}
		}
	}
	if diff := cmp.Diff([][]uint32{{0, 3}, {1, 2}}, [][]uint32{outer, inner}); diff != "" {
		t.Errorf("unexpected packets of both loops (-want +got):\n%s", diff)
	}
}

// TestLossUnnumbered decodes packets that another processor logged during the binding: the group was bound
// already, but the kernel did not number packets yet.
func TestLossUnnumbered(t *testing.T) {
	unnumbered := slices.Clone(good(0))
	at := bytes.Index(unnumbered, binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, 8), 12))
	binary.NativeEndian.PutUint16(unnumbered[at+2:], 99) // an unknown type

	d := nflog.NewDecoder(group)
	decode(d, slices.Concat(unnumbered, unnumbered, good(0), good(1), good(3)))
	want := nflog.Stats{Packets: 5, Lost: 1, Datagrams: 1, UnknownAttributes: 2}
	if diff := cmp.Diff(want, d.Stats()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
	decode(d, slices.Concat(unnumbered, good(5)))
	want = nflog.Stats{Packets: 6, Lost: 2, Datagrams: 2, UnknownAttributes: 2, MalformedAttributes: 1}
	if diff := cmp.Diff(want, d.Stats()); diff != "" {
		t.Errorf("unexpected stats when packets are numbered (-want +got):\n%s", diff)
	}
}
