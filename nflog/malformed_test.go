// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestDecodeMalformedMessage(t *testing.T) {
	tests := []struct {
		name string

		// Between packets 0 and 1 of a datagram. Another datagram with packet 2 follows.
		between []byte
		packets []uint32
		want    nflog.Stats
	}{
		{
			name:    "nothing",
			packets: []uint32{0, 1, 2},
		},
		{
			name:    "length 0",
			between: withLength(message(typePacket), 0),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "length shorter than a header",
			between: withLength(message(typePacket), 15),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "length beyond the datagram",
			between: withLength(message(typePacket), 16+len(good(1))+1),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "length beyond an int32",
			between: withLength(message(typePacket), -16),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "length beyond an int32 by alignment",
			between: withLength(message(typePacket), 0x7fffffff),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			// A kernel that fails to add an attribute leaves this: a message without attributes,
			// and its attributes in the place of the next message.
			name:    "failed kernel message",
			between: slices.Concat(packet(), header(), attr(attrPrefix, []byte("prefix ")...), attr(attrInDev, 0, 0, 0, 1)),
			packets: []uint32{0, 2},
			want:    nflog.Stats{MalformedMessages: 1, MalformedAttributes: 1},
		},
		{
			name:    "no room for the group",
			between: message(typePacket),
			packets: []uint32{0, 1, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "another group",
			between: message(typePacket, []byte{2, 0, 0, group + 1}, header(), number(7)),
			packets: []uint32{0, 1, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "another group in the other byte",
			between: message(typePacket, []byte{2, 0, group, 0}, header(), number(7)),
			packets: []uint32{0, 1, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "another message of the subsystem",
			between: message(0x0402, []byte{2, 0, 0, group}, header(), number(7)),
			packets: []uint32{0, 1, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "another subsystem",
			between: message(0x0300, []byte{2, 0, 0, group}, header(), number(7)),
			packets: []uint32{0, 1, 2},
			want:    nflog.Stats{MalformedMessages: 1},
		},
		{
			name:    "NLMSG_NOOP",
			between: message(typeNoop),
			packets: []uint32{0, 1, 2},
		},
		{
			name:    "NLMSG_ERROR",
			between: message(typeError, be32(0), make([]byte, 16)),
			packets: []uint32{0, 1, 2},
		},
		{
			name:    "NLMSG_DONE",
			between: message(typeDone, be32(0)),
			packets: []uint32{0, 1, 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := nflog.NewDecoder(group)
			got := decode(d, slices.Concat(good(0), tt.between, good(1)))
			got = append(got, decode(d, good(2))...)

			if diff := cmp.Diff(tt.packets, numbers(got)); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			tt.want.Datagrams = 2
			tt.want.Packets = uint64(len(tt.packets))
			tt.want.Lost = 3 - tt.want.Packets
			if diff := cmp.Diff(tt.want, d.Stats()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecodeTruncated decodes truncated datagrams.
func TestDecodeTruncated(t *testing.T) {
	first, second := good(0), good(1)
	datagram := slices.Concat(first, second)
	for n := range len(datagram) + 1 {
		want := nflog.Stats{Datagrams: 1, Packets: uint64(n / len(first))}
		if n%len(first) != 0 {
			want.MalformedMessages = 1
		}
		d := nflog.NewDecoder(group)
		decode(d, datagram[:n:n])
		if diff := cmp.Diff(want, d.Stats()); diff != "" {
			t.Errorf("unexpected stats of %d bytes (-want +got):\n%s", n, diff)
		}
	}
}

// TestDecodeShortMessage decodes messages that end before the group number.
func TestDecodeShortMessage(t *testing.T) {
	for n := range 4 {
		d := nflog.NewDecoder(group)
		decode(d, message(typePacket, make([]byte, n)))
		want := nflog.Stats{Datagrams: 1, MalformedMessages: 1}
		if diff := cmp.Diff(want, d.Stats()); diff != "" {
			t.Errorf("unexpected stats of %d bytes (-want +got):\n%s", 16+n, diff)
		}
	}
}

// minLengths returns the shortest valid value of each attribute with a fixed length.
func minLengths() map[uint16]int {
	return map[uint16]int{
		attrPacketHeader: 4, attrMark: 4, attrTimestamp: 16, attrInDev: 4, attrOutDev: 4, attrPhysInDev: 4,
		attrPhysOutDev: 4, attrHWAddr: 12, attrUID: 4, attrSeq: 4, attrSeqGlobal: 4, attrGID: 4, attrHWType: 2,
		attrHWLen: 2, attrConntrackInfo: 4,
	}
}

func TestDecodeMalformedAttribute(t *testing.T) {
	type test struct {
		name string
		bad  []byte // packet 1
	}
	nested := func(attributes ...[]byte) []byte {
		return packet(header(), number(1), attr(attrVLAN|flagNested, slices.Concat(attributes...)...))
	}
	tests := []test{
		{"no attribute", packet()},
		{"no packet header", packet(number(1))},
		{"no sequence number", packet(header())},
		{"prefix longer than any kernel's", packet(header(), attr(attrPrefix, make([]byte, 2000)...), number(1))},
		{"length 0", packet(header(), number(1), withAttrLength(attr(attrMark, be32(1)...), 0))},
		{"length shorter than a header", packet(header(), number(1), withAttrLength(attr(attrMark, be32(1)...), 3))},
		{"length beyond the message", packet(header(), number(1), withAttrLength(attr(attrMark, be32(1)...), 9))},
		{"unknown attribute of length 0", packet(header(), number(1), withAttrLength(attr(99, 1), 0))},
		{"unknown attribute of length 3", packet(header(), number(1), withAttrLength(attr(99, 1), 3))},
		{"unknown attribute beyond the message", packet(header(), number(1), withAttrLength(attr(99, 1), 9))},
		{"payload beyond the message", packet(header(), number(1), withAttrLength(attr(attrPayload, 1, 2, 3, 4), 9))},
		{"incomplete header at the end", packet(header(), number(1), []byte{4, 0})},
		{"nested length 0", nested(withAttrLength(attr(attrVLANTCI, 0, 1), 0))},
		{"nested length beyond the attribute", nested(withAttrLength(attr(attrVLANTCI, 0, 1), 9))},
		{"nested: incomplete header at the end", nested(attr(attrVLANTCI, 0, 1), []byte{4, 0})},
		{"nested tag too short", nested(attr(attrVLANTCI, 0))},
		{"nested protocol too short", nested(attr(attrVLANProtocol, 0))},
		{"value not nested", packet(header(), number(1), attr(attrVLAN|flagNested, 1, 2))},
	}
	for typ, n := range minLengths() {
		for short := range n {
			tests = append(tests, test{
				fmt.Sprintf("%d bytes of attribute %d", short, typ),
				packet(header(), number(1), attr(typ, make([]byte, short)...)),
			})
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Each bad message takes the place of a packet, so one packet is missing. The packets around
			// it have the same attributes, as far as it has any. It is repeated, so caches see it again.
			d := nflog.NewDecoder(group)
			like := func(seq uint32) []byte { return packet(header(), number(seq)) }
			bad := pad(tt.bad)
			got := decode(d, slices.Concat(like(0), like(1), bad, bad, like(4), good(5), bad))
			got = append(got, decode(d, slices.Concat(bad, like(8), like(9), bad, bad, like(12)))...)

			if diff := cmp.Diff([]uint32{0, 1, 4, 5, 8, 9, 12}, numbers(got)); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			want := nflog.Stats{Datagrams: 2, Packets: 7, Lost: 6, MalformedAttributes: 6}
			if diff := cmp.Diff(want, d.Stats()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

// numbers returns the sequence numbers of packets.
func numbers(packets []values) []uint32 {
	var seqs []uint32
	for _, p := range packets {
		seqs = append(seqs, p.Seq.Value)
	}
	return seqs
}

// pad pads a message, so that another one can follow.
func pad(message []byte) []byte {
	return append(message, make([]byte, -len(message)&3)...)
}
