// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestDecodeUnusual decodes valid messages that no kernel sends so far.
func TestDecodeUnusual(t *testing.T) {
	// plain is a packet with the attributes that every packet has.
	plain := values{Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, Seq: some(uint32(0))}
	with := func(change func(*values)) values {
		v := plain
		change(&v)
		return v
	}
	unpadded := func(n int) []byte { return attr(attrPayload, make([]byte, n)...)[:4+n] }
	nested := func(attributes ...[]byte) []byte {
		return attr(attrVLAN|flagNested, slices.Concat(attributes...)...)
	}
	tests := []struct {
		name    string
		message []byte
		want    values
		unknown uint64
	}{
		{
			name:    "unknown attributes",
			message: packet(attr(0, 1), header(), attr(22), number(0), attr(0x3fff, make([]byte, 9)...)),
			want:    plain,
			unknown: 3,
		},
		{
			name:    "unknown nested attribute",
			message: packet(header(), number(0), nested(attr(attrVLANTCI, 0, 5), attr(3, 1), attr(attrVLANProtocol, 0x88, 0xa8), attr(0))),
			want:    with(func(v *values) { v.VLAN = some(vlanTag{0x88a8, 5}) }),
			unknown: 2,
		},
		{
			name:    "flags in types",
			message: packet(header(), number(0), attr(attrMark|flagNetByteOrder, be32(7)...), attr(attrPayload|flagNested, 1, 2)),
			want: with(func(v *values) {
				v.Mark = some(uint32(7))
				v.Payload = []byte{1, 2}
			}),
		},
		{
			name:    "many attributes",
			message: packet(header(), slices.Repeat(attr(99, 1, 2, 3), 40), attr(attrMark, be32(7)...), number(0)),
			want:    with(func(v *values) { v.Mark = some(uint32(7)) }),
			unknown: 40,
		},
		{
			name:    "many attributes of the origin",
			message: packet(header(), slices.Repeat(attr(attrInDev, be32(7)...), 40), attr(attrMark, be32(7)...), number(0)),
			want: with(func(v *values) {
				v.InDev = 7
				v.Mark = some(uint32(7))
			}),
		},
		{
			// The last one counts, as in the kernel's own parser.
			name: "twice the same attribute",
			message: packet(
				attr(attrPacketHeader, 0x86, 0xdd, 4, 0), number(9), attr(attrPrefix, []byte("no\x00")...), attr(attrPayload, 1, 2, 3),
				header(), number(0), attr(attrPrefix, []byte("yes\x00")...), attr(attrPayload, 4, 5),
			),
			want: with(func(v *values) {
				v.Prefix = "yes"
				v.Payload = []byte{4, 5}
			}),
		},
		{
			name: "longer values",
			message: packet(
				attr(attrPacketHeader, 0x08, 0x00, 1, 0, 0xff, 0xff), number(0), attr(attrMark, 0, 0, 0, 7, 0xff),
				attr(attrTimestamp, append(make([]byte, 7), 1, 0, 0, 0, 0, 0, 0, 0, 2, 0xff)...),
				attr(attrHWAddr, 0, 6, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0xff, 0xff), attr(attrHWType, 0, 1, 0xff),
				nested(attr(attrVLANTCI, 0, 5, 0xff), attr(attrVLANProtocol, 0x81, 0, 0xff)),
			),
			want: with(func(v *values) {
				v.Mark = some(uint32(7))
				v.Timestamp = micros(1, 2)
				v.HWAddr = []byte{1, 2, 3, 4, 5, 6}
				v.HWType = some(uint16(1))
				v.VLAN = some(vlanTag{0x8100, 5})
			}),
		},
		{
			name:    "payload not last",
			message: packet(attr(attrPayload, 1, 2, 3, 4, 5), header(), number(0), attr(attrMark, be32(7)...)),
			want: with(func(v *values) {
				v.Mark = some(uint32(7))
				v.Payload = []byte{1, 2, 3, 4, 5}
			}),
		},
		{
			name: "reversed order",
			message: packet(
				attr(attrPayload, 1), nested(attr(attrVLANProtocol, 0x81, 0), attr(attrVLANTCI, 0, 5)), number(0),
				attr(attrGID, be32(2)...), attr(attrUID, be32(1)...), attr(attrOutDev, be32(4)...), attr(attrPrefix, []byte("p\x00")...), header(),
			),
			want: with(func(v *values) {
				v.Payload = []byte{1}
				v.VLAN = some(vlanTag{0x8100, 5})
				v.GID, v.UID = some(uint32(2)), some(uint32(1))
				v.OutDev = 4
				v.Prefix = "p"
			}),
		},
		{
			name:    "empty values",
			message: packet(header(), number(0), attr(attrPrefix), attr(attrHWHeader), nested(), attr(attrL2Header), attr(attrConntrack), attr(attrPayload)),
			want: with(func(v *values) {
				v.HWHeader, v.L2Header, v.Conntrack, v.Payload = []byte{}, []byte{}, []byte{}, []byte{}
			}),
		},
		{
			name:    "prefix without NUL",
			message: packet(header(), number(0), attr(attrPrefix, []byte("prefix")...)),
			want:    with(func(v *values) { v.Prefix = "prefix" }),
		},
		{
			name:    "prefix with NUL inside",
			message: packet(header(), number(0), attr(attrPrefix, []byte("pre\x00fix\x00\x00")...)),
			want:    with(func(v *values) { v.Prefix = "pre\x00fix\x00" }),
		},
		{
			name:    "link layer address of length 0",
			message: packet(header(), number(0), attr(attrHWAddr, make([]byte, 12)...)),
			want:    with(func(v *values) { v.HWAddr = []byte{} }),
		},
		{
			name:    "link layer address longer than its field",
			message: packet(header(), number(0), attr(attrHWAddr, 0xff, 0xff, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)),
			want:    with(func(v *values) { v.HWAddr = []byte{1, 2, 3, 4, 5, 6, 7, 8} }),
		},
		{
			name:    "message length not aligned",
			message: packet(header(), number(0), unpadded(5)),
			want:    with(func(v *values) { v.Payload = make([]byte, 5) }),
		},
		{
			name:    "largest payload",
			message: packet(header(), number(0), attr(attrPayload, make([]byte, nflog.MaxCopyRange)...)),
			want:    with(func(v *values) { v.Payload = make([]byte, nflog.MaxCopyRange) }),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := nflog.NewDecoder(group)
			// First alone, then in a datagram, when the caches know its layout.
			want := []values{tt.want}
			got := decode(d, tt.message)
			var datagram []byte
			for seq := range uint32(4) {
				m := pad(slices.Clone(tt.message))
				renumber(m, 1+seq)
				datagram = append(datagram, m...)
				next := tt.want
				next.Seq = some(1 + seq)
				want = append(want, next)
			}
			want = append(want, goodValues(5))
			got = append(got, decode(d, append(datagram, good(5)...))...)

			if diff := diffPackets(want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			wantStats := nflog.Stats{Datagrams: 2, Packets: 6, UnknownAttributes: 5 * tt.unknown}
			if diff := cmp.Diff(wantStats, d.Stats()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeVLANIncomplete(t *testing.T) {
	for name, nest := range map[string][]byte{
		"no tag":      attr(attrVLANProtocol, 0x81, 0x00),
		"no protocol": attr(attrVLANTCI, 0, 5),
	} {
		for p := range nflog.NewDecoder(group).Decode(packet(header(), number(0), attr(attrVLAN, nest...))).Packets() {
			if _, _, ok := p.VLANTag(); ok {
				t.Errorf("%s: unexpected tag", name)
			}
		}
	}
}

func TestDecodeGroups(t *testing.T) {
	for _, group := range []uint16{0, 1, 0x0100, 0xffff} {
		m := nflogtest.Message{Group: group, Family: 2, Prefix: strings.Repeat("p", int(group>>8))}.Append(nil)
		got := decode(nflog.NewDecoder(group), m)
		if len(got) != 1 || got[0].Group != group {
			t.Errorf("unexpected packets of group %d: %+v", group, got)
		}
	}
}
