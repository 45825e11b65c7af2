// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "strconv"

// A Family is the netfilter family of a hook, NFPROTO_* of include/uapi/linux/netfilter.h. A rule of an inet table
// logs with the family of the packet.
type Family uint8

// The families whose rules can log to a group.
const (
	FamilyIPv4   Family = 2  // NFPROTO_IPV4
	FamilyARP    Family = 3  // NFPROTO_ARP
	FamilyNetdev Family = 5  // NFPROTO_NETDEV
	FamilyBridge Family = 7  // NFPROTO_BRIDGE
	FamilyIPv6   Family = 10 // NFPROTO_IPV6
)

// Names of hooks by their number in each family: NF_INET_*, NF_BR_*, NF_ARP_* and NF_NETDEV_* of
// include/uapi/linux/netfilter*.h. nft has no word for NF_BR_BROUTING, as it has no chains there.
var (
	inetHooks   = [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	bridgeHooks = [...]string{"prerouting", "input", "forward", "output", "postrouting"}
	arpHooks    = [...]string{"input", "output", "forward"}
	netdevHooks = [...]string{"ingress", "egress"}
)

// String returns nft's word for the family: ip, ip6, arp, bridge or netdev. For any other family it returns the
// number.
func (f Family) String() string {
	switch f {
	case FamilyIPv4:
		return "ip"
	case FamilyARP:
		return "arp"
	case FamilyNetdev:
		return "netdev"
	case FamilyBridge:
		return "bridge"
	case FamilyIPv6:
		return "ip6"
	default:
		return strconv.Itoa(int(f))
	}
}

// HookName returns nft's word for the hook: prerouting, input, forward, output, postrouting, ingress or egress. If nft has
// none, it returns the number.
func (o *Origin) HookName() string {
	var names []string
	switch o.Family {
	case FamilyIPv4, FamilyIPv6:
		names = inetHooks[:]
	case FamilyBridge:
		names = bridgeHooks[:]
	case FamilyARP:
		names = arpHooks[:]
	case FamilyNetdev:
		names = netdevHooks[:]
	}
	if int(o.Hook) < len(names) {
		return names[o.Hook]
	}
	return strconv.Itoa(int(o.Hook))
}
