// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "time"

// An Attribute is a logged packet in memory of its own, the caller's to keep and to change, with nil for
// each value that the kernel did not send. See [Packet] and [Origin] for what the values mean.
//
// What a hook gets is allocated for several packets at a time, some KiB: one that is kept keeps the
// memory of the others from being freed, but shares none of it.
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

// Attributes are copied to memory that is allocated for several packets at a time.
const (
	attributesTogether = 16
	bytesTogether      = 4096
)

// An attributeMemory gives out the memory of Attributes.
type attributeMemory struct {
	values []attributeValues
	bytes  []byte
}

// next returns memory for one packet with so many bytes.
func (m *attributeMemory) next(bytes int) (*attributeValues, []byte) {
	if len(m.values) == 0 {
		m.values = make([]attributeValues, attributesTogether)
	}
	if bytes > len(m.bytes) || m.bytes == nil { // an empty value is not a nil one
		m.bytes = make([]byte, max(bytes, bytesTogether))
	}
	v, b := &m.values[0], m.bytes[:0:bytes]
	m.values, m.bytes = m.values[1:], m.bytes[bytes:]
	return v, b
}

// Attribute returns a copy of the packet that borrows nothing: it is the caller's to keep. It is allocated
// alone, by two allocations.
func (p Packet) Attribute() Attribute {
	v, bytes := &attributeValues{}, make([]byte, 0, p.bytes())
	return p.copyTo(v, bytes)
}

// attribute is as Attribute, with memory that is allocated for several of them.
func (p Packet) attribute(m *attributeMemory) Attribute {
	v, bytes := m.next(p.bytes())
	return p.copyTo(v, bytes)
}

// bytes returns how many bytes an Attribute has beside its values.
func (p Packet) bytes() int {
	return len(p.Payload()) + len(p.HWAddr()) + len(p.HWHeader()) + len(p.Conntrack()) + len(p.L2Header())
}

// copyTo copies the packet to memory that is large enough.
func (p Packet) copyTo(v *attributeValues, memory []byte) Attribute {
	var a Attribute
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

// has reports whether the kernel has sent an attribute.
func (p Packet) has(t attributeType) bool { return p.template.layout.at[t] != 0 }

// present makes a field point to its value if there is one.
func present[T any](field **T, at *T, value T, ok bool) {
	if ok {
		*at = value
		*field = at
	}
}
