// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "time"

// An Attribute is a logged packet in memory of its own, with nil for each value that the kernel did
// not send. See [Packet] and [Origin] for what the values mean.
type Attribute struct {
	Hook       *uint8     // Origin.Hook
	Mark       *uint32    // Packet.Mark
	Timestamp  *time.Time // Packet.Timestamp
	InDev      *uint32    // Origin.InDev
	PhysInDev  *uint32    // Origin.PhysInDev
	OutDev     *uint32    // Origin.OutDev
	PhysOutDev *uint32    // Origin.PhysOutDev
	Payload    *[]byte    // Packet.Payload
	Prefix     *string    // Origin.Prefix
	UID        *uint32    // Packet.UID
	Seq        *uint32    // Packet.Seq
	SeqGlobal  *uint32    // Packet.SeqGlobal
	GID        *uint32    // Packet.GID
	HwType     *uint16    // Packet.HWType
	HwAddr     *[]byte    // Packet.HWAddr
	HwHeader   *[]byte    // Packet.HWHeader
	HwLen      *uint16    // Packet.HWLen
	HwProtocol *uint16    // Origin.HWProtocol
	CtInfo     *uint32    // Packet.ConntrackInfo
	Ct         *[]byte    // Packet.Conntrack
	Layer2Hdr  *[]byte    // Packet.L2Header
	VLAN       *VLAN      // Packet.VLANTag
}

// A VLAN is a tag of a packet.
type VLAN struct {
	Proto uint16 // its EtherType: 0x8100 or 0x88a8
	TCI   uint16 // its control information: priority in the upper four bits, VLAN id in the lower twelve
}

// attributeValues are the values that the pointers of an Attribute point to, in one allocation.
type attributeValues struct {
	hook                                           uint8
	hwType, hwLen, hwProtocol                      uint16
	mark, uid, gid, seq, seqGlobal, ctInfo         uint32
	inDev, physInDev, outDev, physOutDev           uint32
	vlan                                           VLAN
	prefix                                         string
	timestamp                                      time.Time
	payload, hwAddr, hwHeader, conntrack, l2Header []byte
}

// Attribute returns a copy of the packet that borrows nothing. It allocates twice.
func (p Packet) Attribute() Attribute {
	var a Attribute
	v := &attributeValues{}
	origin := p.Origin()
	present(&a.Hook, &v.hook, origin.Hook, true)
	present(&a.HwProtocol, &v.hwProtocol, origin.HWProtocol, true)
	present(&a.Prefix, &v.prefix, origin.Prefix, p.has(attrPrefix))
	present(&a.InDev, &v.inDev, origin.InDev, p.has(attrInDev))
	present(&a.PhysInDev, &v.physInDev, origin.PhysInDev, p.has(attrPhysInDev))
	present(&a.OutDev, &v.outDev, origin.OutDev, p.has(attrOutDev))
	present(&a.PhysOutDev, &v.physOutDev, origin.PhysOutDev, p.has(attrPhysOutDev))

	mark, ok := p.Mark()
	present(&a.Mark, &v.mark, mark, ok)
	timestamp, ok := p.Timestamp()
	present(&a.Timestamp, &v.timestamp, timestamp, ok)
	uid, ok := p.UID()
	present(&a.UID, &v.uid, uid, ok)
	gid, ok := p.GID()
	present(&a.GID, &v.gid, gid, ok)
	seq, ok := p.Seq()
	present(&a.Seq, &v.seq, seq, ok)
	seqGlobal, ok := p.SeqGlobal()
	present(&a.SeqGlobal, &v.seqGlobal, seqGlobal, ok)
	hwType, ok := p.HWType()
	present(&a.HwType, &v.hwType, hwType, ok)
	hwLen, ok := p.HWLen()
	present(&a.HwLen, &v.hwLen, hwLen, ok)
	ctInfo, ok := p.ConntrackInfo()
	present(&a.CtInfo, &v.ctInfo, uint32(ctInfo), ok)
	proto, tci, ok := p.VLANTag()
	present(&a.VLAN, &v.vlan, VLAN{proto, tci}, ok)

	payload, hwAddr, hwHeader, conntrack, l2Header := p.Payload(), p.HWAddr(), p.HWHeader(), p.Conntrack(), p.L2Header()
	memory := make([]byte, 0, len(payload)+len(hwAddr)+len(hwHeader)+len(conntrack)+len(l2Header))
	own := func(field **[]byte, value *[]byte, borrowed []byte) {
		from := len(memory)
		memory = append(memory, borrowed...)
		present(field, value, memory[from:len(memory):len(memory)], borrowed != nil)
	}
	own(&a.Payload, &v.payload, payload)
	own(&a.HwAddr, &v.hwAddr, hwAddr)
	own(&a.HwHeader, &v.hwHeader, hwHeader)
	own(&a.Ct, &v.conntrack, conntrack)
	own(&a.Layer2Hdr, &v.l2Header, l2Header)
	return a
}

// has reports whether the kernel has sent an attribute.
func (p Packet) has(t attributeType) bool { return p.shape.layout.at[t] != 0 }

// present makes a field point to its value if there is one.
func present[T any](field **T, at *T, value T, ok bool) {
	if ok {
		*at = value
		*field = at
	}
}
