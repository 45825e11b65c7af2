// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The families of netfilter hooks that log messages come from: NFPROTO_* of
// uapi/linux/netfilter.h. Rules of inet tables report the family of the packet.
const (
	familyIPv4   uint8 = 2
	familyARP    uint8 = 3
	familyNetdev uint8 = 5
	familyBridge uint8 = 7
	familyIPv6   uint8 = 10
)

// The names of hooks, by the number that each family gives them: NF_INET_*, NF_BR_*, NF_ARP_*
// and NF_NETDEV_* of uapi/linux/netfilter*.h. nft has no chains at NF_BR_BROUTING, hence no word
// for it.
var (
	inetHooks   = [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	bridgeHooks = [...]string{"prerouting", "input", "forward", "output", "postrouting"}
	arpHooks    = [...]string{"input", "output", "forward"}
	netdevHooks = [...]string{"ingress", "egress"}
)

// familyName returns the value of the label family: nft's word, or the number of a family that
// it has none for.
func familyName(family uint8) string {
	switch family {
	case familyIPv4:
		return "ip"
	case familyARP:
		return "arp"
	case familyNetdev:
		return "netdev"
	case familyBridge:
		return "bridge"
	case familyIPv6:
		return "ip6"
	default:
		return strconv.Itoa(int(family))
	}
}

// hookName returns the value of the label hook: nft's word, or the number of a hook that it has
// none for. The numbers of hooks mean different hooks in different families.
func hookName(family, hook uint8) string {
	var names []string
	switch family {
	case familyIPv4, familyIPv6:
		names = inetHooks[:]
	case familyBridge:
		names = bridgeHooks[:]
	case familyARP:
		names = arpHooks[:]
	case familyNetdev:
		names = netdevHooks[:]
	}
	if int(hook) < len(names) {
		return names[hook]
	}
	return strconv.Itoa(int(hook))
}

// whiteSpace is that of ASCII.
const whiteSpace = " \t\n\v\f\r"

// prefixLabel returns the value of the label prefix. Trailing white space, with which many rules
// set the prefix off from the rest of a log line, is cut.
func prefixLabel(raw string) string {
	return escapeLabel(strings.TrimRight(raw, whiteSpace))
}

// escapeLabel makes a label value of bytes that may be any, such that different bytes stay
// different: Prometheus takes only UTF-8, so any other byte reads \xNN, and a backslash \\.
func escapeLabel(raw string) string {
	if utf8.ValidString(raw) && !strings.Contains(raw, `\`) {
		return raw
	}

	const hex = "0123456789abcdef"
	var b strings.Builder
	for raw != "" {
		r, size := utf8.DecodeRuneInString(raw)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x`)
			b.WriteByte(hex[raw[0]>>4])
			b.WriteByte(hex[raw[0]&0xf])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(raw[:size])
		}
		raw = raw[size:]
	}
	return b.String()
}
