// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"unsafe"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// FuzzDecode decodes a datagram with a decoder that knows others and, from the second time on, this
// one, and with new decoders for each message.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(datagramOf(0, 1, 2))
	for _, m := range kinds() {
		f.Add(slices.Concat(m, m, m, good(3)))
	}
	f.Add(slices.Concat(kinds()...))
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
				// Whatever the number is, the books balance.
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
	})
}

// newNumbered returns a decoder that a packet with a number has come to, as to any but at the
// beginning of a binding.
func newNumbered() *nflog.Decoder {
	d := nflog.NewDecoder(group)
	decode(d, good(0))
	return d
}

// decodeAlone decodes each message of a datagram with a new decoder, and returns how many of them
// are packets of the group.
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

// checkBorrowed checks that what a packet borrows is the datagram's, and that to append to it does
// not change the datagram.
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
