// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// group is the group that tests use.
const group = 100

// An optional is a value that a packet may lack.
type optional[T any] struct {
	Value T
	OK    bool
}

func some[T any](value T) optional[T] { return optional[T]{value, true} }

func maybe[T any](value T, ok bool) optional[T] { return optional[T]{value, ok} }

// A vlanTag is the result of VLANTag.
type vlanTag struct{ Protocol, TCI uint16 }

// values are all values of a packet.
type values struct {
	Group                                uint16
	Family                               uint8
	HWProtocol                           uint16
	Hook                                 uint8
	Prefix                               string
	InDev, OutDev, PhysInDev, PhysOutDev uint32
	Mark                                 optional[uint32]
	HWAddr                               []byte
	HWType, HWLen                        optional[uint16]
	HWHeader                             []byte
	Timestamp                            optional[time.Time]
	UID, GID                             optional[uint32]
	Seq, SeqGlobal                       optional[uint32]
	Conntrack                            []byte
	ConntrackInfo                        optional[nflog.ConntrackInfo]
	ConntrackStatus                      optional[nflog.ConntrackStatus]
	VLAN                                 optional[vlanTag]
	L2Header                             []byte
	Payload                              []byte
}

// valuesOf calls all methods of a packet. It clones borrowed memory, and keeps nil as nil.
func valuesOf(p nflog.Packet) values {
	o := p.Origin()
	protocol, tci, hasVLAN := p.VLANTag()
	return values{
		Group:           o.Group,
		Family:          uint8(o.Family),
		HWProtocol:      p.HWProtocol(),
		Hook:            o.Hook,
		Prefix:          o.Prefix,
		InDev:           o.InDev,
		OutDev:          o.OutDev,
		PhysInDev:       o.PhysInDev,
		PhysOutDev:      o.PhysOutDev,
		Mark:            maybe(p.Mark()),
		HWAddr:          bytes.Clone(p.HWAddr()),
		HWType:          maybe(p.HWType()),
		HWLen:           maybe(p.HWLen()),
		HWHeader:        bytes.Clone(p.HWHeader()),
		Timestamp:       maybe(p.Timestamp()),
		UID:             maybe(p.UID()),
		GID:             maybe(p.GID()),
		Seq:             maybe(p.Seq()),
		SeqGlobal:       maybe(p.SeqGlobal()),
		Conntrack:       bytes.Clone(p.Conntrack()),
		ConntrackInfo:   maybe(p.ConntrackInfo()),
		ConntrackStatus: maybe(p.ConntrackStatus()),
		VLAN:            maybe(vlanTag{protocol, tci}, hasVLAN),
		L2Header:        bytes.Clone(p.L2Header()),
		Payload:         bytes.Clone(p.Payload()),
	}
}

// message returns the kernel's message for a packet with these values.
func (v values) message() nflogtest.Message {
	m := nflogtest.Message{
		Group: v.Group, Family: v.Family, HWProtocol: v.HWProtocol, Hook: v.Hook, Prefix: v.Prefix,
		InDev: v.InDev, OutDev: v.OutDev, PhysInDev: v.PhysInDev, PhysOutDev: v.PhysOutDev,
		Mark: v.Mark.Value, Ethernet: v.HWAddr != nil, HWHeader: v.HWHeader,
		UID: v.UID.Value, GID: v.GID.Value, Owner: v.UID.OK, Seq: v.Seq.Value, SeqGlobal: v.SeqGlobal.Value,
		Conntrack: v.Conntrack, CTInfo: uint32(v.ConntrackInfo.Value),
		VLAN: v.VLAN.Value.TCI, L2Header: v.L2Header, Payload: v.Payload,
	}
	if v.Timestamp.OK {
		m.Timestamp = uint64(v.Timestamp.Value.Unix())
		m.Micros = uint64(v.Timestamp.Value.Nanosecond() / 1000)
	}
	return m
}

// decode returns the values of a datagram's packets.
func decode(d *nflog.Decoder, datagram []byte) []values {
	var all []values
	for p := range d.Decode(datagram).Packets() {
		all = append(all, valuesOf(p))
	}
	return all
}

// diffPackets returns the differences between packets, or "".
func diffPackets(want, got []values) string {
	// DeepEqual is much faster than Diff.
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}
