// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import "net/netip"

// IANA is the name of the preset that [Classes] returns.
const IANA = "iana"

// Names of the classes.
const (
	public        = "public"
	private       = "private"
	shared        = "shared"
	loopback      = "loopback"
	linkLocal     = "link-local"
	multicast     = "multicast"
	broadcast     = "broadcast"
	unspecified   = "unspecified"
	documentation = "documentation"
	reserved      = "reserved"
)

// ianaClasses are the classes of the registries that IANA keeps: of special-purpose addresses (RFC 6890 and its updates), of
// multicast addresses, and of the address space of IPv6. What they call globally reachable, and what they leave to the
// Internet, is public.
var ianaClasses = []struct {
	name  string
	cidrs []string
}{
	{public, []string{
		"0.0.0.0/0", "2000::/3",
		"192.0.0.9/32", "192.0.0.10/32", // anycast for port control and TURN
		"2001::/32",                                       // Teredo
		"2001:1::1/128", "2001:1::2/128", "2001:1::3/128", // anycast for port control, TURN and service registration
		"2001:3::/32", "2001:4:112::/48", // AMT and AS112
		"2001:20::/28", "2001:30::/28", // ORCHIDv2 and drone remote ID
		"64:ff9b::/96", // translated addresses of IPv4
	}},
	{private, []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
		"64:ff9b:1::/48", // translation within a site
		"fec0::/10",      // site-local, deprecated by RFC 3879
	}},
	{shared, []string{"100.64.0.0/10"}},
	{loopback, []string{"127.0.0.0/8", "::1/128"}},
	{linkLocal, []string{"169.254.0.0/16", "fe80::/10"}},
	{multicast, []string{"224.0.0.0/4", "ff00::/8"}},
	{broadcast, []string{"255.255.255.255/32"}},
	{unspecified, []string{"0.0.0.0/8", "::/128"}},
	{documentation, []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"}},
	{reserved, []string{
		"192.0.0.0/24", "2001::/23", // protocol assignments
		"198.18.0.0/15", "2001:2::/48", // benchmarks
		"240.0.0.0/4", "::/0",
		"100::/64", "100:0:0:1::/64", // discard and dummy prefixes
		"5f00::/16", // segment routing
	}},
}

// Classes returns the networks of IANA's registries. Together they have all addresses.
func Classes() []Network {
	var networks []Network
	for _, c := range ianaClasses {
		n := Network{Name: c.name, class: true}
		for _, cidr := range c.cidrs {
			n.CIDRs = append(n.CIDRs, netip.MustParsePrefix(cidr))
		}
		networks = append(networks, n)
	}
	return networks
}
