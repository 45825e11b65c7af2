// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// FuzzDecode decodes a datagram in three ways and compares the results: three times with a decoder that has seen
// other messages, with a new decoder per message, and for a hook.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(datagramOf(0, 1, 2))
	for _, m := range kinds() {
		f.Add(slices.Concat(m, m, m, good(3)))
	}
	f.Add(slices.Concat(kinds()...))
	for _, c := range captures() {
		f.Add(inGroup(c.bytes()))
	}
	known := slices.Concat(kinds()...)

	f.Fuzz(func(t *testing.T, datagram []byte) {
		if len(datagram) > 1<<18 {
			return // no datagram is longer
		}
		want, messages := decodeAlone(datagram)
		d := newNumbered()
		decode(d, known)
		for range 3 {
			before := d.Stats()
			next := before.Packets + before.Lost
			var got []values
			batch := d.Decode(datagram)
			for p := range batch.Packets() {
				checkBorrowed(t, datagram, p)
				v := valuesOf(p)
				got = append(got, v)
				// Packets and losses add up, whatever the sequence number is.
				next += uint64(v.Seq.Value-uint32(next)) + 1
				if stats := batch.Stats(); stats.Packets+stats.Lost != next {
					t.Fatalf("unexpected packets + lost: %d + %d, want %d", stats.Packets, stats.Lost, next)
				}
			}
			if diff := diffPackets(want, got); diff != "" {
				t.Fatalf("unexpected packets (-want +got):\n%s", diff)
			}
			after := d.Stats()
			if n := after.Packets - before.Packets; n != uint64(len(got)) {
				t.Errorf("unexpected number of packets in stats: %d, want %d", n, len(got))
			}
			if n := after.Packets + after.MalformedAttributes - before.Packets - before.MalformedAttributes; n != messages {
				t.Errorf("unexpected packets + malformed: %d, want %d", n, messages)
			}
		}
		checkHook(t, datagram, want)
	})
}

// inGroup changes the group of messages to the tests' group.
func inGroup(messages []byte) []byte {
	all := bytes.Clone(messages)
	for rest := all; len(rest) > 0; rest = rest[binary.NativeEndian.Uint32(rest):] {
		binary.BigEndian.PutUint16(rest[18:], group)
	}
	return all
}

// checkHook checks that a hook gets these packets of a datagram, and that they don't share its memory.
func checkHook(t *testing.T, datagram []byte, packets []values) {
	t.Helper()
	var got []nflog.Attribute
	datagram = bytes.Clone(datagram)
	nflog.Deliver(group, new(debugLog), func(a nflog.Attribute) int {
		got = append(got, a)
		return 0
	}, good(0), datagram)
	clear(datagram)
	if len(got) != len(packets)+1 {
		t.Fatalf("unexpected number of packets in the hook: %d, want %d", len(got)-1, len(packets))
	}
	for i, a := range got[1:] {
		want := packets[i].attribute()
		// An Origin has the same value for absent as for 0 or empty.
		if a.Prefix == nil && *want.Prefix == "" {
			want.Prefix = nil
		}
		for device, want := range map[*uint32]**uint32{
			a.InDev: &want.InDev, a.OutDev: &want.OutDev, a.PhysInDev: &want.PhysInDev, a.PhysOutDev: &want.PhysOutDev,
		} {
			if device != nil && *device == 0 && *want == nil {
				*want = device
			}
		}
		if !reflect.DeepEqual(want, a) {
			t.Fatalf("unexpected packet %d in the hook (-want +got):\n%s", i, cmp.Diff(want, a))
		}
	}
}

// FuzzConntrackStatus compares ConntrackStatus with findStatus for any attributes.
func FuzzConntrackStatus(f *testing.F) {
	for _, c := range conntrackCaptures() {
		f.Add(c.want[0].Conntrack)
	}
	for _, tt := range conntrackTrees() {
		f.Add(tt.tree)
	}
	f.Fuzz(func(t *testing.T, tree []byte) {
		if len(tree) > 1<<15 {
			return // no attribute is longer
		}
		if got, want := statusOf(t, tree), findStatus(tree); got != want {
			t.Errorf("unexpected status: %+v, want %+v", got, want)
		}
	})
}

// findStatus finds the status in the first attribute, or in those after it.
func findStatus(tree []byte) (status optional[nflog.ConntrackStatus]) {
	if len(tree) < 4 {
		return status
	}
	n, typ := int(binary.NativeEndian.Uint16(tree)), binary.NativeEndian.Uint16(tree[2:])
	switch {
	case n < 4 || n > len(tree):
		return status
	case typ&^(flagNested|flagNetByteOrder) == attrStatus && n >= 8:
		return some(nflog.ConntrackStatus(binary.BigEndian.Uint32(tree[4:])))
	default:
		return findStatus(tree[min((n+3)/4*4, len(tree)):])
	}
}

// newNumbered returns a decoder that has seen a packet with a sequence number, so it expects one in each packet.
func newNumbered() *nflog.Decoder {
	d := nflog.NewDecoder(group)
	decode(d, good(0))
	return d
}

// decodeAlone decodes each message of a datagram with a new decoder. It also returns how many messages are
// packets of the group.
func decodeAlone(datagram []byte) (packets []values, messages uint64) {
	for len(datagram) >= 16 {
		n := binary.NativeEndian.Uint32(datagram)
		if n < 16 || uint64(n) > uint64(len(datagram)) {
			break
		}
		m := datagram[:n:n]
		datagram = datagram[min(int(n)+int(-n&3), len(datagram)):]
		if binary.NativeEndian.Uint16(m[4:]) == typePacket && n >= 20 && binary.BigEndian.Uint16(m[18:]) == group {
			messages++
			packets = append(packets, decode(newNumbered(), m)...)
		}
	}
	return packets, messages
}

// checkBorrowed checks that the slices of a packet are part of the datagram, and that appending to them does
// not change it.
func checkBorrowed(t *testing.T, datagram []byte, p nflog.Packet) {
	t.Helper()
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(datagram)))
	end := begin + uintptr(len(datagram))
	for _, b := range [][]byte{p.HWAddr(), p.HWHeader(), p.Conntrack(), p.L2Header(), p.Payload()} {
		if b == nil {
			continue
		}
		at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		if at < begin || at+uintptr(len(b)) > end {
			t.Fatalf("unexpected memory: %d bytes at %d of a datagram of %d", len(b), at-begin, len(datagram))
		}
		if cap(b) != len(b) {
			t.Fatalf("unexpected capacity: %d, want %d", cap(b), len(b))
		}
	}
}
