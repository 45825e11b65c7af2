// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "time"

// An Attribute is a copy of a logged packet. The caller may keep and change it. A field is nil if the kernel
// did not send the value. See [Packet] and [Origin] for the meaning of the values.
//
// The Attributes that a hook gets are allocated in blocks of some KiB, for several packets at a time. They
// share no memory, but an Attribute that is kept prevents its block from being freed.
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
	HwProtocol *uint16    // Packet.HWProtocol
	CtInfo     *uint32    // Packet.ConntrackInfo
	Ct         *[]byte    // Packet.Conntrack
	Layer2Hdr  *[]byte    // Packet.L2Header
	VLAN       *VLAN      // Packet.VLANTag
}

// A VLAN is the VLAN tag of a packet.
type VLAN struct {
	Proto uint16 // EtherType of the tag: 0x8100 or 0x88a8
	TCI   uint16 // control information: priority and DEI in the upper four bits, VLAN ID in the lower twelve
}

// attributeValues holds the values that an Attribute points to, in one allocation.
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

// Sizes of the blocks that an attributeAllocator allocates.
const (
	attributesPerBlock = 16
	bytesPerBlock      = 4096
)

// An attributeAllocator allocates the memory of Attributes, for several packets at a time.
type attributeAllocator struct {
	values []attributeValues
	bytes  []byte
}

// next returns memory for the values and the bytes of one packet.
func (a *attributeAllocator) next(bytes int) (*attributeValues, []byte) {
	if len(a.values) == 0 {
		a.values = make([]attributeValues, attributesPerBlock)
	}
	if bytes > len(a.bytes) || a.bytes == nil { // nil would turn empty values into nil
		a.bytes = make([]byte, max(bytes, bytesPerBlock))
	}
	v, b := &a.values[0], a.bytes[:0:bytes]
	a.values, a.bytes = a.values[1:], a.bytes[bytes:]
	return v, b
}

// Attribute returns a copy of the packet, which the caller may keep. It takes two allocations.
func (p Packet) Attribute() Attribute {
	v, bytes := &attributeValues{}, make([]byte, 0, p.bytes())
	return p.copyTo(v, bytes)
}

// attribute is like Attribute, but takes the memory from an allocator.
func (p Packet) attribute(a *attributeAllocator) Attribute {
	v, bytes := a.next(p.bytes())
	return p.copyTo(v, bytes)
}

// bytes returns how many bytes the byte slices of an Attribute take.
func (p Packet) bytes() int {
	return len(p.Payload()) + len(p.HWAddr()) + len(p.HWHeader()) + len(p.Conntrack()) + len(p.L2Header())
}

// copyTo copies the packet. The memory must be large enough for its byte slices.
func (p Packet) copyTo(v *attributeValues, memory []byte) Attribute {
	var a Attribute
	origin := p.Origin()
	present(&a.Hook, &v.hook, origin.Hook, true)
	present(&a.HwProtocol, &v.hwProtocol, p.HWProtocol(), true)
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

	own := func(field **[]byte, value *[]byte, borrowed []byte) {
		from := len(memory)
		memory = append(memory, borrowed...)
		present(field, value, memory[from:len(memory):len(memory)], borrowed != nil)
	}
	own(&a.Payload, &v.payload, p.Payload())
	own(&a.HwAddr, &v.hwAddr, p.HWAddr())
	own(&a.HwHeader, &v.hwHeader, p.HWHeader())
	own(&a.Ct, &v.conntrack, p.Conntrack())
	own(&a.Layer2Hdr, &v.l2Header, p.L2Header())
	return a
}

// has reports whether the kernel sent an attribute.
func (p Packet) has(t attributeType) bool { return p.template.layout.at[t] != 0 }

// present sets a field to point to its value, if the packet has that value.
func present[T any](field **T, at *T, value T, ok bool) {
	if ok {
		*at = value
		*field = at
	}
}
