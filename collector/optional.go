// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// extras are what chosen labels tell packets apart by, beside their origin and protocol. Packets
// whose labels have the same values have equal extras.
type extras struct {
	small          uint64 // in parts
	mark, uid, gid uint32
}

// Where the parts of small are. A part is 0 where the packet has no such thing, and where its label
// was not chosen.
const (
	tcpFlagsAt  = 0  // 4 bits: a tcpFlags
	conntrackAt = 4  // 4 bits: hasConntrack and a nflog.ConntrackInfo, not that of a reply
	dscpAt      = 8  // 7 bits: hasDSCP and a code point
	vlanAt      = 16 // 13 bits: hasVLAN and a VLAN id
	icmpTypeAt  = 32 // 10 bits: hasICMPType and an icmpType that is canonical
	portAt      = 44 // 17 bits: a portClass
	uidAt       = 62 // 1 bit: there is one
	gidAt       = 63 // 1 bit: there is one

	hasConntrack = 1 << 3
	hasDSCP      = 1 << 6
	hasVLAN      = 1 << 12
	hasICMPType  = 1 << 9
)

// part returns a part of small.
func (e extras) part(at, bits int) uint32 { return uint32(e.small>>at) & (1<<bits - 1) }

// hash returns a hash whose upper bits are the best.
func (e extras) hash() uint32 {
	const k0, k1, k2 = 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb
	owner := uint64(e.uid)<<32 | uint64(e.gid)
	h := e.small*k0 ^ owner*k1 ^ uint64(e.mark)*k2
	return uint32((h ^ h>>32) * k0 >> 32)
}

// value returns the value of an extra label.
func (e extras) value(l label) string {
	switch l {
	case labelMark:
		return "0x" + strconv.FormatUint(uint64(e.mark), 16)
	case labelUID:
		if e.part(uidAt, 1) != 0 {
			return strconv.FormatUint(uint64(e.uid), 10)
		}
	case labelGID:
		if e.part(gidAt, 1) != 0 {
			return strconv.FormatUint(uint64(e.gid), 10)
		}
	case labelVLAN:
		if vlan := e.part(vlanAt, 13); vlan != 0 {
			return strconv.FormatUint(uint64(vlan&^hasVLAN), 10)
		}
	case labelTCPFlags:
		return tcpFlags(e.part(tcpFlagsAt, 4)).String()
	case labelICMPType:
		if t := e.part(icmpTypeAt, 10); t != 0 {
			return icmpType(t &^ hasICMPType).String()
		}
	case labelConntrackState:
		if info := e.part(conntrackAt, 4); info != 0 {
			return nflog.ConntrackInfo(info &^ hasConntrack).State()
		}
	case labelDSCP:
		if dscp := e.part(dscpAt, 7); dscp != 0 {
			return dscpName(uint8(dscp &^ hasDSCP))
		}
	case labelDestinationPort:
		return portClass(e.part(portAt, 17)).String()
	}
	return ""
}
