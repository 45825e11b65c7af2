// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strconv"
)

// An icmpType is a type of ICMP, or with icmpv6 of ICMPv6.
type icmpType uint16

// icmpv6 marks the number of a type as one of ICMPv6.
const icmpv6 icmpType = 1 << 8

// String returns the value of the label icmp_type: nft's name, or the number of a type that it has
// none for.
func (t icmpType) String() string {
	names := &icmpNames
	if t&icmpv6 != 0 {
		names = &icmpv6Names
	}
	if name := names[uint8(t)]; name != "" {
		return name
	}
	return strconv.Itoa(int(uint8(t)))
}

// canonical returns the type that stands for all those that are called the same: that of ICMP, where
// both protocols have one.
func (t icmpType) canonical() icmpType {
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
	return icmpType(same)
}

// icmpNames holds nft's name of each type of ICMP that has one, as "nft describe icmp type" lists them.
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

// icmpv6Names holds those of ICMPv6, as "nft describe icmpv6 type" lists them. Of the two names of 132
// it is the one that nft prints.
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
