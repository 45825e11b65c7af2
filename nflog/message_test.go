// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"encoding/binary"
	"slices"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// Types of messages: those of include/uapi/linux/netlink.h, and NFULNL_MSG_PACKET.
const (
	typeNoop   = 1
	typeError  = 2
	typeDone   = 3
	typePacket = 0x0400
)

// Types of attributes, NFULA_* of include/uapi/linux/netfilter/nfnetlink_log.h.
const (
	attrPacketHeader  = 1
	attrMark          = 2
	attrTimestamp     = 3
	attrInDev         = 4
	attrOutDev        = 5
	attrPhysInDev     = 6
	attrPhysOutDev    = 7
	attrHWAddr        = 8
	attrPayload       = 9
	attrPrefix        = 10
	attrUID           = 11
	attrSeq           = 12
	attrSeqGlobal     = 13
	attrGID           = 14
	attrHWType        = 15
	attrHWHeader      = 16
	attrHWLen         = 17
	attrConntrack     = 18
	attrConntrackInfo = 19
	attrVLAN          = 20
	attrL2Header      = 21

	attrVLANProtocol = 1 // in attrVLAN
	attrVLANTCI      = 2

	flagNested       = 0x8000 // NLA_F_NESTED
	flagNetByteOrder = 0x4000 // NLA_F_NET_BYTEORDER
)

// good returns a message as the kernel sends it, with a sequence number.
func good(seq uint32) []byte { return goodValues(seq).message().Append(nil) }

func goodValues(seq uint32) values {
	return values{
		Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, Prefix: "good ", InDev: 1, Seq: some(seq), Payload: make([]byte, 28),
	}
}

// message returns a message with a type and a body.
func message(typ uint16, body ...[]byte) []byte {
	b := make([]byte, 16)
	binary.NativeEndian.PutUint16(b[4:], typ)
	b = slices.Concat(b, slices.Concat(body...))
	return withLength(b, len(b))
}

// withLength changes the length field of a message.
func withLength(message []byte, length int) []byte {
	binary.NativeEndian.PutUint32(message, uint32(length))
	return message
}

// packet returns a packet message of the tests' group with these attributes.
func packet(attributes ...[]byte) []byte {
	return message(typePacket, []byte{2, 0, group >> 8, group & 0xff}, slices.Concat(attributes...))
}

// attr returns an attribute, padded.
func attr(typ uint16, value ...byte) []byte { return nflogtest.Attribute(nil, typ, value) }

// withAttrLength changes the length field of an attribute.
func withAttrLength(attribute []byte, length uint16) []byte {
	binary.NativeEndian.PutUint16(attribute, length)
	return attribute
}

// renumber changes the sequence number of a packet.
func renumber(packet []byte, seq uint32) {
	for rest := packet[20:]; len(rest) >= 4; {
		n := int(binary.NativeEndian.Uint16(rest))
		if binary.NativeEndian.Uint16(rest[2:]) == attrSeq {
			copy(rest[4:n], be32(seq))
		}
		rest = rest[min(n+(-n&3), len(rest)):]
	}
}

// be32 returns an integer in the byte order of attributes.
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// header and number return the attributes that every packet has.
func header() []byte           { return attr(attrPacketHeader, 0x08, 0x00, 1, 0) }
func number(seq uint32) []byte { return attr(attrSeq, be32(seq)...) }
