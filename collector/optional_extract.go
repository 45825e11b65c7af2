// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// The extra labels, by what tells their values.
const (
	messageLabels   labelSelection = 1<<labelMark | 1<<labelUID | 1<<labelGID | 1<<labelConntrackState
	transportLabels labelSelection = 1<<labelTCPFlags | 1<<labelICMPType | 1<<labelDestinationPort
	headerLabels                   = 1<<labelVLAN | 1<<labelDSCP | transportLabels
)

// An extractor takes the extras of chosen labels off packets.
type extractor struct {
	chosen   labelSelection // of the extra labels
	markMask uint32
	named    *portSet // nil where the port was not chosen

	// What there is to look up.
	transport   [256]labelSelection // the chosen labels that the transport header of a protocol tells
	tcpFlags    [256]tcpFlags       // by the flags of the header
	icmpv6Types [256]icmpType       // by the type of the header
}

// newExtractor returns an extractor for the extra labels among those that were chosen. The mask is for
// marks, the ports are those that go by their number.
func newExtractor(chosen labelSelection, markMask uint32, ports []uint16) extractor {
	x := extractor{chosen: chosen & (messageLabels | headerLabels), markMask: markMask}
	if x.chosen.has(labelDestinationPort) {
		x.named = newPortSet(ports)
	}
	for p := range x.transport {
		x.transport[p] = x.chosen & toldByTransport(protocol(p))
	}
	for i := range 256 {
		x.tcpFlags[i] = tcpFlagsOf(uint8(i))
		x.icmpv6Types[i] = (icmpv6 | icmpType(i)).canonical()
	}
	return x
}

// toldByTransport returns the labels that the transport header of a protocol tells.
func toldByTransport(p protocol) labelSelection {
	switch p {
	case protocolTCP:
		return 1<<labelTCPFlags | 1<<labelDestinationPort
	case protocolUDP, protocolUDPLite, protocolSCTP, protocolDCCP:
		return 1 << labelDestinationPort
	case protocolICMP, protocolICMPv6:
		return 1 << labelICMPType
	default:
		return 0
	}
}

// any reports whether an extra label was chosen.
func (x *extractor) any() bool { return x.chosen != 0 }

// extract returns the extras of a packet, of which packetHeader told the protocol.
func (x *extractor) extract(p nflog.Packet, protocol protocol) extras {
	var e extras
	if x.chosen&headerLabels != 0 {
		e.small = x.extractHeaders(p, protocol)
	}
	if x.chosen.has(labelMark) {
		mark, _ := p.Mark()
		e.mark = mark & x.markMask
	}
	if x.chosen.has(labelUID) {
		if uid, ok := p.UID(); ok {
			e.uid = uid
			e.small |= 1 << uidAt
		}
	}
	if x.chosen.has(labelGID) {
		if gid, ok := p.GID(); ok {
			e.gid = gid
			e.small |= 1 << gidAt
		}
	}
	if x.chosen.has(labelConntrackState) {
		// The kernel has three bits for it.
		if info, ok := p.ConntrackInfo(); ok && info < hasConntrack {
			if info.Reply() {
				info -= nflog.ConntrackEstablishedReply - nflog.ConntrackEstablished
			}
			e.small |= uint64(info|hasConntrack) << conntrackAt
		}
	}
	return e
}

// extractHeaders returns those parts of the extras that the packet's headers tell.
func (x *extractor) extractHeaders(p nflog.Packet, protocol protocol) (small uint64) {
	o := p.Origin()
	etherType, b := o.HWProtocol, p.Payload()
	if !beginsAtIP(o) {
		var vlan uint16
		vlan, etherType, b = skipLinkLayer(p)
		if x.chosen.has(labelVLAN) {
			small |= uint64(vlan) << vlanAt
		}
	}

	var told labelSelection
	switch {
	case protocol <= 0xff:
		told = x.transport[protocol]
	case protocol != protocolUnknown || decodeHeader(etherType, b).bad:
		return small
	}
	if len(b) < 2 {
		return small
	}
	var dscp uint8
	var transport []byte
	if etherType == etherIPv4 {
		dscp = b[1] >> 2
		if told != 0 {
			transport = transportOfIPv4(b)
		}
	} else { // IPv6, since nothing else has such a protocol
		dscp = b[0]<<4>>2 | b[1]>>6
		if told != 0 {
			transport = transportOfIPv6(b)
		}
	}

	if x.chosen.has(labelDSCP) {
		small |= uint64(dscp|hasDSCP) << dscpAt
	}
	if told.has(labelDestinationPort) && len(transport) >= 4 {
		small |= uint64(x.named.class(binary.BigEndian.Uint16(transport[2:]))) << portAt
	}
	if told.has(labelTCPFlags) && len(transport) >= 14 {
		small |= uint64(x.tcpFlags[transport[13]]) << tcpFlagsAt
	}
	if told.has(labelICMPType) && len(transport) >= 1 {
		t := icmpType(transport[0])
		if protocol == protocolICMPv6 {
			t = x.icmpv6Types[t]
		}
		small |= uint64(t|hasICMPType) << icmpTypeAt
	}
	return small
}

// beginsAtIP reports whether packets are as IP's own hooks have them: without link layer header or tag.
func beginsAtIP(o *nflog.Origin) bool {
	return o.Family == familyIPv4 && o.HWProtocol == etherIPv4 || o.Family == familyIPv6 && o.HWProtocol == etherIPv6
}

// skipLinkLayer returns what was copied of a packet behind link layer header and tags, and its
// EtherType there. The VLAN is that of the outer tag, hasVLAN and its id, or 0.
func skipLinkLayer(p nflog.Packet) (vlan, etherType uint16, b []byte) {
	o := p.Origin()
	etherType, b = o.HWProtocol, p.Payload()
	if beginsAtLink(o) {
		etherType, b = behindLink(p)
	}

	const id = 0xfff // the rest is priority
	if _, tci, ok := p.VLANTag(); ok {
		vlan = tci&id | hasVLAN
	} else if isTag(etherType) && len(b) >= 2 {
		vlan = binary.BigEndian.Uint16(b)&id | hasVLAN
	}
	etherType, b, _ = skipTags(etherType, b)
	return vlan, etherType, b
}
