// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// optional holds the values of the selected optional labels, packed for comparing and hashing. Packets with the same
// label values have equal optional values.
type optional struct {
	packed uint64 // of fields
	owner  uint64 // the gid, and above it the uid
	mark   uint32

	addresses uint64 // the [network.ID] of the destination, and above it that of the source; 0 without one
}

// Offsets of the fields in packed. A field is 0 if the packet has no such value, and if its label is not selected.
const (
	tcpKindAt   = 0  // 4 bits: a packet.TCPKind
	conntrackAt = 4  // 4 bits: hasConntrack and a nflog.ConntrackInfo, never that of a reply
	dscpAt      = 8  // 7 bits: hasDSCP and a code point
	vlanAt      = 16 // 13 bits: hasVLAN and a VLAN id
	icmpTypeAt  = 32 // 10 bits: hasICMPType and a canonical packet.ICMPType
	portAt      = 44 // 17 bits: a packet.PortClass
	uidAt       = 62 // 1 bit: uid is valid
	gidAt       = 63 // 1 bit: gid is valid

	hasConntrack = 1 << 3
	hasDSCP      = 1 << 6
	hasVLAN      = 1 << 12
	hasICMPType  = 1 << 9
)

// field returns a field of packed.
func (o optional) field(at, bits int) uint32 { return uint32(o.packed>>at) & (1<<bits - 1) }

// hash returns a hash. Its upper bits are the best.
func (o optional) hash() uint64 {
	const k0, k1, k2, k3 = 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93
	h := o.packed*k0 ^ o.owner*k1 ^ uint64(o.mark)*k2 ^ o.addresses*k3
	return (h ^ h>>29) * k1
}

// value returns the value of an optional label, except for those of addresses.
func (o optional) value(l label) string {
	switch l {
	case labelMark:
		return "0x" + strconv.FormatUint(uint64(o.mark), 16)
	case labelUID:
		if o.field(uidAt, 1) != 0 {
			return strconv.FormatUint(o.owner>>32, 10)
		}
	case labelGID:
		if o.field(gidAt, 1) != 0 {
			return strconv.FormatUint(o.owner&(1<<32-1), 10)
		}
	case labelVLAN:
		if vlan := o.field(vlanAt, 13); vlan != 0 {
			return strconv.FormatUint(uint64(vlan&^hasVLAN), 10)
		}
	case labelTCPFlags:
		return packet.TCPKind(o.field(tcpKindAt, 4)).String()
	case labelICMPType:
		if t := o.field(icmpTypeAt, 10); t != 0 {
			return packet.ICMPType(t &^ hasICMPType).String()
		}
	case labelConntrackState:
		if info := o.field(conntrackAt, 4); info != 0 {
			return nflog.ConntrackInfo(info &^ hasConntrack).State()
		}
	case labelDSCP:
		if dscp := o.field(dscpAt, 7); dscp != 0 {
			return packet.DSCP(dscp &^ hasDSCP).String()
		}
	case labelDestinationPort:
		return packet.PortClass(o.field(portAt, 17)).String()
	}
	return ""
}

// The optional labels, by where their values are.
const (
	messageLabels   labelSelection = 1<<labelMark | 1<<labelUID | 1<<labelGID | 1<<labelConntrackState
	transportLabels labelSelection = 1<<labelTCPFlags | 1<<labelICMPType | 1<<labelDestinationPort
	headerLabels                   = 1<<labelVLAN | 1<<labelDSCP | transportLabels
	addressLabels   labelSelection = 1<<labelSource | 1<<labelDestination
)

// An extractor extracts the values of the selected optional labels from packets.
type extractor struct {
	selection labelSelection // of optional labels
	markMask  uint32
	ports     *packet.PortSet   // that have a class of their own; nil if the port is not selected
	networks  *network.Resolver // of addresses; nil if none is selected

	// Look-up tables, which are faster than to classify each packet.
	tcpKinds  [256]packet.TCPKind
	icmpTypes [2 * 256]packet.ICMPType // canonical ones
}

// newExtractor returns an extractor for the optional labels of a selection.
func newExtractor(selection labelSelection, markMask uint32, ports []uint16) extractor {
	x := extractor{selection: selection & (messageLabels | headerLabels | addressLabels), markMask: markMask}
	if x.selection.has(labelDestinationPort) {
		x.ports = packet.NewPortSet(ports)
	}
	for i := range x.tcpKinds {
		x.tcpKinds[i] = packet.TCPFlags(i).Kind()
	}
	for i := range x.icmpTypes {
		x.icmpTypes[i] = packet.ICMPType(i).Canonical()
	}
	return x
}

// any reports whether an optional label is selected.
func (x *extractor) any() bool { return x.selection != 0 }

// extract returns the optional values of a packet and its headers.
func (x *extractor) extract(p nflog.Packet, h *packet.Parsed) optional {
	var o optional
	if x.selection&headerLabels != 0 {
		o.packed = x.extractHeaders(h)
	}
	if x.networks != nil {
		x.extractAddresses(&o, h)
	}
	if x.selection.has(labelMark) {
		mark, _ := p.Mark()
		o.mark = mark & x.markMask
	}
	if x.selection.has(labelUID) {
		if uid, ok := p.UID(); ok {
			o.owner |= uint64(uid) << 32
			o.packed |= 1 << uidAt
		}
	}
	if x.selection.has(labelGID) {
		if gid, ok := p.GID(); ok {
			o.owner |= uint64(gid)
			o.packed |= 1 << gidAt
		}
	}
	if x.selection.has(labelConntrackState) {
		// The kernel has three bits for it.
		if info, ok := p.ConntrackInfo(); ok && info < hasConntrack {
			if info.Reply() {
				info -= nflog.ConntrackEstablishedReply - nflog.ConntrackEstablished
			}
			o.packed |= uint64(info|hasConntrack) << conntrackAt
		}
	}
	return o
}

// extractAddresses sets the values of the packet's addresses.
func (x *extractor) extractAddresses(o *optional, h *packet.Parsed) {
	if source, destination, ok := h.IPv4(); ok {
		if x.selection.has(labelSource) {
			o.addresses = uint64(x.networks.IPv4(source)) << 32
		}
		if x.selection.has(labelDestination) {
			o.addresses |= uint64(x.networks.IPv4(destination))
		}
		return
	}
	source, destination, ok := h.IPv6()
	if !ok {
		return
	}
	if x.selection.has(labelSource) {
		o.addresses = uint64(x.networks.IPv6(source)) << 32
	}
	if x.selection.has(labelDestination) {
		o.addresses |= uint64(x.networks.IPv6(destination))
	}
}

// extractHeaders returns the fields of packed that the packet's headers give.
func (x *extractor) extractHeaders(h *packet.Parsed) (packed uint64) {
	if x.selection.has(labelVLAN) {
		if id, ok := h.VLAN(); ok {
			packed |= uint64(id|hasVLAN) << vlanAt
		}
	}
	if x.selection.has(labelDSCP) {
		if dscp, ok := h.DSCP(); ok {
			packed |= uint64(dscp|hasDSCP) << dscpAt
		}
	}
	if x.selection&transportLabels == 0 {
		return packed
	}
	t := h.Transport()
	if x.selection.has(labelDestinationPort) {
		if _, port, ok := t.Ports(); ok {
			packed |= uint64(x.ports.Class(port)) << portAt
		}
	}
	if x.selection.has(labelTCPFlags) {
		if flags, ok := t.TCPFlags(); ok {
			packed |= uint64(x.tcpKinds[flags]) << tcpKindAt
		}
	}
	if x.selection.has(labelICMPType) {
		if typ, ok := t.ICMPType(); ok {
			packed |= uint64(x.icmpTypes[typ]|hasICMPType) << icmpTypeAt
		}
	}
	return packed
}
