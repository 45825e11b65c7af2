// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package network names the networks that addresses are in, so that labels of addresses have few values. Where that is asked for,
// it names the addresses themselves, up to a limit.
//
// A [Set] has the networks of a configuration. Each reader of packets has a [Resolver], which also knows the networks of the
// interfaces in its network namespace.
package network

import (
	"errors"
	"fmt"
	"net/netip"
)

// Defaults and bounds of a [Network].
const (
	DefaultMaxAddresses = 512
	MaxAddressesLimit   = 1 << 16

	MaxName = 127 // bytes
)

// Other is the name of all addresses that are in no network.
const Other = "other"

// A Network is a group of addresses with a name.
type Network struct {
	Name string

	// CIDRs are the addresses. Of several networks, the one with the longest prefix has an address. Of the same prefix in several,
	// the first network has it.
	CIDRs []netip.Prefix

	// Interface is the name of an interface, or empty. The networks that it has addresses in are part of this one, except for
	// those that CIDRs of another network name.
	Interface string

	// ByAddress shows the addresses in place of the name, at most MaxAddresses at a time.
	ByAddress    bool
	MaxAddresses int // 0 for DefaultMaxAddresses

	class bool // of IANA's registries: all other networks come first
}

// CheckName returns an error if a network can't have this name.
func CheckName(name string) error {
	switch _, err := netip.ParseAddr(name); {
	case name == "":
		return errors.New("must not be empty")
	case len(name) > MaxName:
		return fmt.Errorf("must not have more than %d bytes", MaxName)
	case name == Other:
		return fmt.Errorf("must not be %s, which stands for addresses in no network", Other)
	case err == nil:
		return errors.New("must not be an address: by: address shows those")
	}
	return nil
}

// ParseCIDR parses a network in CIDR notation, or an address, which stands for itself alone. The error says what it must be.
func ParseCIDR(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("must be a network such as 192.0.2.0/24 or 2001:db8::/32")
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("must not have bits beyond its length: write %v, or %v for the address alone", p.Masked(), p.Addr())
	}
	return p, nil
}
