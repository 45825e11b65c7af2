// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"slices"
	"strconv"
)

// An ICMPType is the type of an ICMP message, or with icmpv6 of an ICMPv6 message.
type ICMPType uint16

// icmpv6 marks the number of a type as one of ICMPv6.
const icmpv6 ICMPType = 1 << 8

// String returns nft's name of the type, or its number where nft has none.
func (t ICMPType) String() string {
	names := &icmpNames
	if t&icmpv6 != 0 {
		names = &icmpv6Names
	}
	if name := names[uint8(t)]; name != "" {
		return name
	}
	return strconv.Itoa(int(uint8(t)))
}

// Canonical returns one type for all types of the same name, so that ICMP and ICMPv6 share the value of a
// label: that of ICMP where both have one.
func (t ICMPType) Canonical() ICMPType {
	if t&icmpv6 == 0 {
		return t
	}
	same := int(uint8(t))
	if name := icmpv6Names[same]; name != "" {
		same = slices.Index(icmpNames[:], name)
	} else if icmpNames[same] != "" {
		return t
	}
	if same < 0 {
		return t
	}
	return ICMPType(same)
}

// icmpNames holds nft's names of ICMP types, see "nft describe icmp type".
var icmpNames = [256]string{
	0:  "echo-reply",
	3:  "destination-unreachable",
	4:  "source-quench",
	5:  "redirect",
	8:  "echo-request",
	9:  "router-advertisement",
	10: "router-solicitation",
	11: "time-exceeded",
	12: "parameter-problem",
	13: "timestamp-request",
	14: "timestamp-reply",
	15: "info-request",
	16: "info-reply",
	17: "address-mask-request",
	18: "address-mask-reply",
}

// icmpv6Names holds nft's names of ICMPv6 types, see "nft describe icmpv6 type". Type 132 has two: this is the
// one that nft prints.
var icmpv6Names = [256]string{
	1:   "destination-unreachable",
	2:   "packet-too-big",
	3:   "time-exceeded",
	4:   "parameter-problem",
	128: "echo-request",
	129: "echo-reply",
	130: "mld-listener-query",
	131: "mld-listener-report",
	132: "mld-listener-done",
	133: "nd-router-solicit",
	134: "nd-router-advert",
	135: "nd-neighbor-solicit",
	136: "nd-neighbor-advert",
	137: "nd-redirect",
	138: "router-renumbering",
	141: "ind-neighbor-solicit",
	142: "ind-neighbor-advert",
	143: "mld2-listener-report",
}
