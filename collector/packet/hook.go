// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "strconv"

// Families of netfilter hooks, NFPROTO_* of include/uapi/linux/netfilter.h. A rule of an inet table reports the
// family of the packet.
const (
	familyIPv4   uint8 = 2
	familyARP    uint8 = 3
	familyNetdev uint8 = 5
	familyBridge uint8 = 7
	familyIPv6   uint8 = 10
)

// Names of hooks by their number in each family: NF_INET_*, NF_BR_*, NF_ARP_* and NF_NETDEV_* of
// include/uapi/linux/netfilter*.h. nft has no word for NF_BR_BROUTING, as it has no chains there.
var (
	inetHooks   = [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	bridgeHooks = [...]string{"prerouting", "input", "forward", "output", "postrouting"}
	arpHooks    = [...]string{"input", "output", "forward"}
	netdevHooks = [...]string{"ingress", "egress"}
)

// FamilyName returns nft's word for a family, or its number where nft has none.
func FamilyName(family uint8) string {
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

// HookName returns nft's word for a hook of a family, or its number where nft has none. A number means another hook
// in another family.
func HookName(family, hook uint8) string {
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
