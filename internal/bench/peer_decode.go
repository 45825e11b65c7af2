// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/mdlayher/netlink"
)

// Attributes of packet messages, linux/netfilter/nfnetlink_log.h.
const (
	nfulaPacketHdr         = 1  // NFULA_PACKET_HDR
	nfulaMark              = 2  // NFULA_MARK
	nfulaTimestamp         = 3  // NFULA_TIMESTAMP
	nfulaIfindexIndev      = 4  // NFULA_IFINDEX_INDEV
	nfulaIfindexOutdev     = 5  // NFULA_IFINDEX_OUTDEV
	nfulaIfindexPhysindev  = 6  // NFULA_IFINDEX_PHYSINDEV
	nfulaIfindexPhysoutdev = 7  // NFULA_IFINDEX_PHYSOUTDEV
	nfulaHwaddr            = 8  // NFULA_HWADDR
	nfulaPayload           = 9  // NFULA_PAYLOAD
	nfulaPrefix            = 10 // NFULA_PREFIX
	nfulaUID               = 11 // NFULA_UID
	nfulaSeq               = 12 // NFULA_SEQ
	nfulaSeqGlobal         = 13 // NFULA_SEQ_GLOBAL
	nfulaGID               = 14 // NFULA_GID
	nfulaHwtype            = 15 // NFULA_HWTYPE
	nfulaHwheader          = 16 // NFULA_HWHEADER
	nfulaHwlen             = 17 // NFULA_HWLEN
)

// sizeofNfgenmsg is the length of struct nfgenmsg, in front of the attributes.
const sizeofNfgenmsg = 4

// peerPacket holds what a message says; a field is nil where it says nothing.
type peerPacket struct {
	Family     *uint8
	HwProtocol *uint16
	Hook       *uint8
	Mark       *uint32
	Timestamp  *time.Time
	InDev      *uint32
	OutDev     *uint32
	PhysInDev  *uint32
	PhysOutDev *uint32
	HwAddr     *[]byte
	Payload    *[]byte
	Prefix     *string
	UID        *uint32
	GID        *uint32
	Seq        *uint32
	SeqGlobal  *uint32
	HwType     *uint16
	HwHeader   *[]byte
	HwLen      *uint16
}

// decodePeerPacket decodes the data of a packet message.
func decodePeerPacket(data []byte) (peerPacket, error) {
	var p peerPacket
	if len(data) < sizeofNfgenmsg {
		return p, errors.New("message too short")
	}
	p.Family = new(data[0])

	ad, err := netlink.NewAttributeDecoder(data[sizeofNfgenmsg:])
	if err != nil {
		return p, err
	}
	ad.ByteOrder = binary.BigEndian
	for ad.Next() {
		switch ad.Type() {
		case nfulaPacketHdr:
			if b := ad.Bytes(); len(b) >= 4 {
				p.HwProtocol, p.Hook = new(binary.BigEndian.Uint16(b)), new(b[2])
			}
		case nfulaMark:
			p.Mark = new(ad.Uint32())
		case nfulaTimestamp:
			if b := ad.Bytes(); len(b) >= 16 {
				sec, usec := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
				p.Timestamp = new(time.Unix(int64(sec), int64(usec)*1000))
			}
		case nfulaIfindexIndev:
			p.InDev = new(ad.Uint32())
		case nfulaIfindexOutdev:
			p.OutDev = new(ad.Uint32())
		case nfulaIfindexPhysindev:
			p.PhysInDev = new(ad.Uint32())
		case nfulaIfindexPhysoutdev:
			p.PhysOutDev = new(ad.Uint32())
		case nfulaHwaddr:
			if b := ad.Bytes(); len(b) >= 4 {
				n := min(int(binary.BigEndian.Uint16(b)), len(b)-4)
				p.HwAddr = new(b[4 : 4+n])
			}
		case nfulaPayload:
			p.Payload = new(ad.Bytes())
		case nfulaPrefix:
			p.Prefix = new(ad.String())
		case nfulaUID:
			p.UID = new(ad.Uint32())
		case nfulaSeq:
			p.Seq = new(ad.Uint32())
		case nfulaSeqGlobal:
			p.SeqGlobal = new(ad.Uint32())
		case nfulaGID:
			p.GID = new(ad.Uint32())
		case nfulaHwtype:
			p.HwType = new(ad.Uint16())
		case nfulaHwheader:
			p.HwHeader = new(ad.Bytes())
		case nfulaHwlen:
			p.HwLen = new(ad.Uint16())
		}
	}
	return p, ad.Err()
}
