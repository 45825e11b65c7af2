// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// attribute returns the Attribute of a packet with these values. It assumes that the kernel sends a prefix with
// each packet, and no interface with index 0.
func (v values) attribute() nflog.Attribute {
	a := nflog.Attribute{
		Hook:       &v.Hook,
		HwProtocol: &v.HWProtocol,
		Prefix:     &v.Prefix,
		InDev:      nonZero(v.InDev),
		OutDev:     nonZero(v.OutDev),
		PhysInDev:  nonZero(v.PhysInDev),
		PhysOutDev: nonZero(v.PhysOutDev),
		Mark:       v.Mark.pointer(),
		Timestamp:  v.Timestamp.pointer(),
		UID:        v.UID.pointer(),
		GID:        v.GID.pointer(),
		Seq:        v.Seq.pointer(),
		SeqGlobal:  v.SeqGlobal.pointer(),
		HwType:     v.HWType.pointer(),
		HwLen:      v.HWLen.pointer(),
		HwAddr:     nonNil(v.HWAddr),
		HwHeader:   nonNil(v.HWHeader),
		Ct:         nonNil(v.Conntrack),
		Layer2Hdr:  nonNil(v.L2Header),
		Payload:    nonNil(v.Payload),
	}
	if v.ConntrackInfo.OK {
		a.CtInfo = new(uint32(v.ConntrackInfo.Value))
	}
	if v.VLAN.OK {
		a.VLAN = &nflog.VLAN{Proto: v.VLAN.Value.Protocol, TCI: v.VLAN.Value.TCI}
	}
	return a
}

// pointer returns a pointer to the value, or nil.
func (o optional[T]) pointer() *T {
	if !o.OK {
		return nil
	}
	return &o.Value
}

func nonZero(v uint32) *uint32 {
	if v == 0 {
		return nil
	}
	return &v
}

func nonNil(b []byte) *[]byte {
	if b == nil {
		return nil
	}
	return &b
}

// eachCopy runs a test for both ways to get the Attributes of a datagram: from a Packet and in a hook.
func eachCopy(t *testing.T, test func(*testing.T, func(group uint16, datagram []byte) []nflog.Attribute)) {
	t.Run("packet", func(t *testing.T) {
		test(t, func(group uint16, datagram []byte) (all []nflog.Attribute) {
			for p := range nflog.NewDecoder(group).Decode(datagram).Packets() {
				all = append(all, p.Attribute())
			}
			return all
		})
	})
	t.Run("hook", func(t *testing.T) {
		test(t, func(group uint16, datagram []byte) (all []nflog.Attribute) {
			nflog.Deliver(group, new(debugLog), func(a nflog.Attribute) int {
				all = append(all, a)
				return 0
			}, datagram)
			return all
		})
	})
}

// TestAttributeCapture compares Attributes with captures, after the memory of the datagram was overwritten.
func TestAttributeCapture(t *testing.T) {
	for _, tt := range captures() {
		t.Run(tt.name, func(t *testing.T) {
			eachCopy(t, func(t *testing.T, attributes func(uint16, []byte) []nflog.Attribute) {
				var want []nflog.Attribute
				for _, v := range tt.want {
					want = append(want, v.attribute())
				}
				datagram := tt.bytes()
				got := attributes(tt.want[0].Group, datagram)
				for i := range datagram {
					datagram[i] ^= 0xff
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("unexpected attributes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestAttributeSingle decodes packets with one value each. All other values are nil.
func TestAttributeSingle(t *testing.T) {
	eight := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	seconds := binary.BigEndian.AppendUint64(nil, 1<<33)
	tests := []struct {
		name  string
		value []byte
		want  nflog.Attribute
	}{
		{name: "none"},
		{name: "mark", value: attr(attrMark, 0, 0, 0, 0), want: nflog.Attribute{Mark: new(uint32)}},
		{
			name:  "timestamp",
			value: attr(attrTimestamp, append(seconds, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x3f)...),
			want:  nflog.Attribute{Timestamp: new(time.Unix(1<<33, 999_999_000))},
		},
		{name: "in device", value: attr(attrInDev, 0, 0, 0, 0), want: nflog.Attribute{InDev: new(uint32)}},
		{name: "out device", value: attr(attrOutDev, 0, 0, 1, 2), want: nflog.Attribute{OutDev: new(uint32(0x102))}},
		{name: "in port", value: attr(attrPhysInDev, 1, 2, 3, 4), want: nflog.Attribute{PhysInDev: new(uint32(0x1020304))}},
		{name: "out port", value: attr(attrPhysOutDev, eight...), want: nflog.Attribute{PhysOutDev: new(uint32(0x1020304))}},
		{name: "address", value: attr(attrHWAddr, 0, 3, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2), want: nflog.Attribute{HwAddr: &[]byte{9, 8, 7}}},
		{name: "no address", value: attr(attrHWAddr, 0, 0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2), want: nflog.Attribute{HwAddr: &[]byte{}}},
		{name: "payload", value: attr(attrPayload, 1, 2, 3), want: nflog.Attribute{Payload: &[]byte{1, 2, 3}}},
		{name: "empty payload", value: attr(attrPayload), want: nflog.Attribute{Payload: &[]byte{}}},
		{name: "prefix", value: attr(attrPrefix, 'a', 0xff, ' ', 0), want: nflog.Attribute{Prefix: new("a\xff ")}},
		{name: "empty prefix", value: attr(attrPrefix, 0), want: nflog.Attribute{Prefix: new(string)}},
		{name: "no prefix", value: attr(attrPrefix), want: nflog.Attribute{Prefix: new(string)}},
		{name: "user", value: attr(attrUID, be32(65534)...), want: nflog.Attribute{UID: new(uint32(65534))}},
		{name: "group", value: attr(attrGID, 0, 0, 0, 0), want: nflog.Attribute{GID: new(uint32)}},
		{name: "number", value: number(7), want: nflog.Attribute{Seq: new(uint32(7))}},
		{name: "global number", value: attr(attrSeqGlobal, be32(8)...), want: nflog.Attribute{SeqGlobal: new(uint32(8))}},
		{name: "interface type", value: attr(attrHWType, 0xff, 0xfe), want: nflog.Attribute{HwType: new(uint16(0xfffe))}},
		{name: "header length", value: attr(attrHWLen, 0, 14), want: nflog.Attribute{HwLen: new(uint16(14))}},
		{name: "header", value: attr(attrHWHeader, eight...), want: nflog.Attribute{HwHeader: &eight}},
		{name: "empty header", value: attr(attrHWHeader), want: nflog.Attribute{HwHeader: &[]byte{}}},
		{name: "connection", value: attr(attrConntrack|flagNested, eight...), want: nflog.Attribute{Ct: &eight}},
		{name: "relation", value: attr(attrConntrackInfo, be32(7)...), want: nflog.Attribute{CtInfo: new(uint32(7))}},
		{name: "layer 2 header", value: attr(attrL2Header, eight...), want: nflog.Attribute{Layer2Hdr: &eight}},
		{
			name:  "tag",
			value: attr(attrVLAN|flagNested, append(attr(attrVLANTCI, 0xa0, 0x2a), attr(attrVLANProtocol, 0x88, 0xa8)...)...),
			want:  nflog.Attribute{VLAN: &nflog.VLAN{Proto: 0x88a8, TCI: 0xa02a}},
		},
		{name: "half a tag", value: attr(attrVLAN|flagNested, attr(attrVLANTCI, 0xa0, 0x2a)...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Hook, tt.want.HwProtocol = new(uint8(1)), new(uint16(0x0800))
			eachCopy(t, func(t *testing.T, attributes func(uint16, []byte) []nflog.Attribute) {
				got := attributes(group, packet(header(), tt.value))
				if diff := cmp.Diff([]nflog.Attribute{tt.want}, got); diff != "" {
					t.Errorf("unexpected attributes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestAttributeOwn overwrites each slice of an Attribute and appends to it. Nothing else changes.
func TestAttributeOwn(t *testing.T) {
	all := values{
		Group: group, Family: 7, HWProtocol: 0x0800, Prefix: "all ", InDev: 1, PhysInDev: 2,
		HWAddr: []byte{1, 2, 3, 4, 5, 6}, HWHeader: []byte{9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 8, 0},
		Conntrack: attr(3, 0, 0, 0, 8), L2Header: bytes.Repeat([]byte{7}, 14), Payload: bytes.Repeat([]byte{8}, 600),
	}
	datagram := build(slices.Repeat([]values{all}, 40))
	eachCopy(t, func(t *testing.T, attributes func(uint16, []byte) []nflog.Attribute) {
		for i := range reflect.TypeFor[nflog.Attribute]().NumField() {
			want, got := attributes(group, datagram), attributes(group, datagram)
			field := reflect.ValueOf(&got[20]).Elem().Field(i)
			b, ok := reflect.TypeAssert[*[]byte](field)
			if !ok {
				continue
			}
			for j := range *b {
				(*b)[j] = 0xee
			}
			*b = append(*b, 0xee, 0xee, 0xee, 0xee)
			field.Set(reflect.ValueOf(want[20]).Field(i))
			if !reflect.DeepEqual(want, got) {
				t.Errorf("unexpected change by field %d (-want +got):\n%s", i, cmp.Diff(want, got))
			}
		}
	})
}
