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

	source, destination network.ID // of the addresses; 0 without one
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
	h := o.packed*k0 ^ o.owner*k1 ^ uint64(o.mark)*k2 ^ (uint64(o.source)<<32|uint64(o.destination))*k3
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
