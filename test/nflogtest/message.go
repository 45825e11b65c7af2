// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nflogtest builds NFLOG messages like the kernel's __build_packet_message
// (net/netfilter/nfnetlink_log.c), for tests and benchmarks without a kernel.
package nflogtest

import "encoding/binary"

// A Message is a packet message. Zero fields have no attribute, where the attribute is
// optional in the kernel's messages.
type Message struct {
	Group      uint16
	Family     uint8
	HWProtocol uint16
	Hook       uint8
	Prefix     string
	InDev      uint32
	OutDev     uint32
	PhysInDev  uint32
	PhysOutDev uint32
	Mark       uint32
	Ethernet   bool   // it has HWADDR, HWTYPE, HWLEN and HWHEADER, as received by Ethernet
	HWHeader   []byte // Ethernet header, 14 bytes; nil means zeros, with HWADDR 02:00:00:00:00:01
	Timestamp  uint64 // seconds
	Micros     uint64 // microseconds, with Timestamp
	UID, GID   uint32
	Owner      bool // UID and GID are present even if they are 0
	Seq        uint32
	SeqGlobal  uint32
	Conntrack  []byte // attributes of the connection: CT and CT_INFO
	CTInfo     uint32 // with Conntrack
	VLAN       uint16 // tag control information of an 802.1Q tag
	L2Header   []byte
	Payload    []byte
}

// Append appends the message to the datagram b.
func (m Message) Append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0) // length
	b = binary.NativeEndian.AppendUint16(b, 0x0400)
	b = append(b, make([]byte, 10)...) // flags, sequence, port
	b = append(b, m.Family, 0)
	b = binary.BigEndian.AppendUint16(b, m.Group)

	b = Attribute(b, 1, append(binary.BigEndian.AppendUint16(nil, m.HWProtocol), m.Hook, 0))
	b = Attribute(b, 10, append([]byte(m.Prefix), 0))
	b = word(b, 6, m.PhysInDev)
	b = word(b, 4, m.InDev)
	b = word(b, 7, m.PhysOutDev)
	b = word(b, 5, m.OutDev)
	b = word(b, 2, m.Mark)
	if m.Ethernet {
		header, source := make([]byte, 14), []byte{2, 0, 0, 0, 0, 1}
		if m.HWHeader != nil {
			header, source = m.HWHeader, m.HWHeader[6:12]
		}
		b = Attribute(b, 8, append(append([]byte{0, 6, 0, 0}, source...), 0, 0))
		b = Attribute(b, 15, []byte{0, 1})
		b = Attribute(b, 17, []byte{0, 14})
		b = Attribute(b, 16, header)
	}
	if m.Timestamp != 0 {
		seconds := binary.BigEndian.AppendUint64(nil, m.Timestamp)
		b = Attribute(b, 3, binary.BigEndian.AppendUint64(seconds, m.Micros))
	}
	if m.Owner || m.UID != 0 {
		b = Attribute(b, 11, binary.BigEndian.AppendUint32(nil, m.UID))
	}
	if m.Owner || m.GID != 0 {
		b = Attribute(b, 14, binary.BigEndian.AppendUint32(nil, m.GID))
	}
	b = Attribute(b, 12, binary.BigEndian.AppendUint32(nil, m.Seq))
	b = word(b, 13, m.SeqGlobal)
	if m.Conntrack != nil {
		b = Attribute(b, 18|0x8000, m.Conntrack)
		b = Attribute(b, 19, binary.BigEndian.AppendUint32(nil, m.CTInfo))
	}
	if m.VLAN != 0 {
		var nest []byte
		nest = Attribute(nest, 2, binary.BigEndian.AppendUint16(nil, m.VLAN))
		nest = Attribute(nest, 1, []byte{0x81, 0x00})
		b = Attribute(b, 20|0x8000, nest)
	}
	if len(m.L2Header) > 0 {
		b = Attribute(b, 21, m.L2Header)
	}
	if len(m.Payload) > 0 {
		b = Attribute(b, 9, m.Payload)
	}
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// Done appends NLMSG_DONE, which ends a datagram of several packets, with their group.
func Done(b []byte) []byte {
	group := b[18:20:20]
	b = binary.NativeEndian.AppendUint32(b, 20)
	b = binary.NativeEndian.AppendUint16(b, 3)
	b = append(b, make([]byte, 12)...)
	return append(b, group...)
}

// Attribute appends a netlink attribute with its padding.
func Attribute(b []byte, typ uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

func word(b []byte, typ uint16, value uint32) []byte {
	if value == 0 {
		return b
	}
	return Attribute(b, typ, binary.BigEndian.AppendUint32(nil, value))
}

// UDP returns the first n bytes of an IPv4 packet with protocol UDP and that total length.
func UDP(length, n int) []byte {
	b := make([]byte, n)
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(length))
	copy(b[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	return b
}

// Datagram returns a full datagram: as many packets as fit the kernel's largest buffer. They
// match a flood through input rules with four prefixes.
func Datagram(group uint16) (datagram []byte, packets int) {
	const room = 261_824 - 20
	payload := UDP(228, 128)
	for {
		next := Message{
			Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, InDev: 1, Ethernet: true, Timestamp: 1,
			Prefix: "bench-00" + string(rune('0'+packets%4)) + ": ", Seq: uint32(packets), Payload: payload,
		}.Append(datagram)
		if len(next) > room {
			return Done(datagram), packets
		}
		datagram = next
		packets++
	}
}
