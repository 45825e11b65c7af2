// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nftrules

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A Family is the family of a table.
type Family uint8

// The families of nftables. The zero Family means INet.
const (
	INet   Family = unix.NFPROTO_INET
	IPv4   Family = unix.NFPROTO_IPV4
	IPv6   Family = unix.NFPROTO_IPV6
	ARP    Family = unix.NFPROTO_ARP
	Bridge Family = unix.NFPROTO_BRIDGE
	Netdev Family = unix.NFPROTO_NETDEV
)

// A Hook is the place in the packet path where a chain's rules run.
type Hook int

// The hooks of nftables. No family has all of them.
const (
	Prerouting Hook = iota + 1
	Input
	Forward
	Output
	Postrouting
	Ingress
	Egress
)

// number returns the kernel's number of hook in family.
func (hook Hook) number(family Family) (uint32, error) {
	var numbers map[Hook]uint32
	switch family {
	case IPv4, IPv6, Bridge:
		numbers = map[Hook]uint32{Prerouting: 0, Input: 1, Forward: 2, Output: 3, Postrouting: 4}
	case INet:
		numbers = map[Hook]uint32{Prerouting: 0, Input: 1, Forward: 2, Output: 3, Postrouting: 4, Ingress: 5}
	case ARP:
		numbers = map[Hook]uint32{Input: 0, Output: 1}
	case Netdev:
		numbers = map[Hook]uint32{Ingress: 0, Egress: 1}
	}
	n, ok := numbers[hook]
	if !ok {
		return 0, fmt.Errorf("family %d has no hook %d", family, hook)
	}
	return n, nil
}
