// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// EtherTypes, include/uapi/linux/if_ether.h.
const (
	etherTypeIPv4 = 0x0800
	etherTypeARP  = 0x0806
	etherTypeVLAN = 0x8100 // IEEE 802.1Q
	etherTypeIPv6 = 0x86dd
	etherTypeQinQ = 0x88a8 // IEEE 802.1ad
)

const (
	ethernetHeaderLen = 14
	vlanTagLen        = 4
	ipv4HeaderLen     = 20
	ipv6HeaderLen     = 40
	arpHeaderLen      = 8
)

// Hooks at which the kernel copies a packet from its link layer header on: NF_NETDEV_EGRESS of
// include/uapi/linux/netfilter.h and NF_ARP_OUT of netfilter_arp.h.
const (
	netdevEgress = 1
	arpOutput    = 1
)

// beginsAtLink reports whether the payload of packets begins at their link layer header.
func beginsAtLink(o *nflog.Origin) bool {
	return o.Family == familyNetdev && o.Hook == netdevEgress || o.Family == familyARP && o.Hook == arpOutput
}

// afterLink returns the payload of such a packet after its link layer header, and its EtherType.
func afterLink(p nflog.Packet) (etherType uint16, b []byte) {
	o := p.Origin()
	if o.Family == familyARP {
		return skipLinkOfARP(p.Payload())
	}
	return skipLink(p.HWProtocol(), p.L2Header(), p.Payload())
}

// skipLink skips the link layer header at the beginning of b. linkHeader is the kernel's copy of that
// header, nil if it sent none.
func skipLink(etherType uint16, linkHeader, b []byte) (uint16, []byte) {
	if isTag(etherType) && len(linkHeader) >= ethernetHeaderLen {
		// The kernel counts tags as part of the link layer header in some cases, and not in others.
		if len(b) < ethernetHeaderLen {
			return etherType, nil
		}
		return binary.BigEndian.Uint16(b[ethernetHeaderLen-2:]), b[ethernetHeaderLen:]
	}
	return etherType, b[min(len(linkHeader), len(b)):]
}

// skipLinkOfARP skips the link layer header in front of ARP. The kernel sends no copy of it, but an
// Ethernet header can be recognized by its EtherType.
func skipLinkOfARP(b []byte) (etherType uint16, _ []byte) {
	if len(b) >= ethernetHeaderLen {
		etherType, after := binary.BigEndian.Uint16(b[ethernetHeaderLen-2:]), b[ethernetHeaderLen:]
		if inner, _, ok := skipTags(etherType, after); ok && inner == etherTypeARP {
			return etherType, after
		}
	}
	return etherTypeARP, nil
}

// skipTags skips up to two VLAN tags. It reports whether they were copied whole.
func skipTags(etherType uint16, b []byte) (_ uint16, _ []byte, ok bool) {
	for range 2 {
		if !isTag(etherType) {
			break
		}
		if len(b) < vlanTagLen {
			return etherType, nil, false
		}
		etherType, b = binary.BigEndian.Uint16(b[2:]), b[vlanTagLen:]
	}
	return etherType, b, true
}

func isTag(etherType uint16) bool { return etherType == etherTypeVLAN || etherType == etherTypeQinQ }
