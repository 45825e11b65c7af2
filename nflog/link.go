// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "encoding/binary"

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
		if inner, _, ok := skipTags(etherType, after); ok && inner == EtherTypeARP {
			return etherType, after
		}
	}
	return EtherTypeARP, nil
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

func isTag(etherType uint16) bool { return etherType == EtherTypeVLAN || etherType == EtherTypeQinQ }
