// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// AddAddresses adds addresses to the link called name. They are usable at once,
// without duplicate address detection. The first IPv6 address disables ARP and
// neighbour discovery on the link (see the package documentation) and removes its
// neighbour entries.
func (ns *NS) AddAddresses(name string, addrs ...netip.Prefix) error {
	if err := ns.muteIPv6(name, addrs); err != nil {
		return err
	}
	ifi, err := ns.Interface(name)
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		err := ns.rtnetlink(fmt.Sprintf("add address %s to %s", addr, name), func(c *rtnetlink.Conn) error {
			ip := net.IP(addr.Addr().AsSlice())
			return c.Address.New(&rtnetlink.AddressMessage{
				Family:       family(addr.Addr()),
				PrefixLength: uint8(addr.Bits()),
				Index:        uint32(ifi.Index),
				Attributes:   &rtnetlink.AddressAttributes{Address: ip, Local: ip, Flags: unix.IFA_F_NODAD},
			})
		})
		if err != nil {
			return err
		}
		if err := ns.awaitLocal(addr.Addr()); err != nil {
			return err
		}
	}
	return nil
}

// awaitLocal waits until the namespace has a local route for its address addr. The
// kernel adds that of an IPv6 address asynchronously.
func (ns *NS) awaitLocal(addr netip.Addr) error {
	return ns.await(fmt.Sprintf("wait for address %s", addr), func(c *rtnetlink.Conn) (bool, error) {
		routes, err := c.Route.List()
		return slices.ContainsFunc(routes, func(route rtnetlink.RouteMessage) bool {
			return route.Type == unix.RTN_LOCAL && route.Attributes.Dst.Equal(addr.AsSlice())
		}), err
	})
}

// AddNeighbor adds a permanent neighbour entry to the link called name: addr is at
// mac.
func (ns *NS) AddNeighbor(name string, addr netip.Addr, mac net.HardwareAddr) error {
	ifi, err := ns.Interface(name)
	if err != nil {
		return err
	}
	return ns.rtnetlink(fmt.Sprintf("add neighbour %s to %s", addr, name), func(c *rtnetlink.Conn) error {
		return c.Neigh.New(&rtnetlink.NeighMessage{
			Family: uint16(family(addr)),
			Index:  uint32(ifi.Index),
			State:  unix.NUD_PERMANENT,
			Attributes: &rtnetlink.NeighAttributes{
				Address:   addr.AsSlice(),
				LLAddress: mac,
				IfIndex:   uint32(ifi.Index),
			},
		})
	})
}

// addNeighbors adds the addresses of a link of peer as permanent neighbours to the
// link called name.
func (ns *NS) addNeighbors(name string, peer *NS, peerName string, addrs []netip.Prefix) error {
	ifi, err := peer.Interface(peerName)
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		if err := ns.AddNeighbor(name, addr.Addr(), ifi.HardwareAddr); err != nil {
			return err
		}
	}
	return nil
}

// AddDefaultRoute adds a default route, for the address family of via, by the router
// via. The router must be reachable on a link of the namespace.
func (ns *NS) AddDefaultRoute(via netip.Addr) error {
	return ns.rtnetlink(fmt.Sprintf("add default route by %s", via), func(c *rtnetlink.Conn) error {
		return c.Route.Add(&rtnetlink.RouteMessage{
			Family:     family(via),
			Table:      unix.RT_TABLE_MAIN,
			Protocol:   unix.RTPROT_STATIC,
			Scope:      unix.RT_SCOPE_UNIVERSE,
			Type:       unix.RTN_UNICAST,
			Attributes: rtnetlink.RouteAttributes{Gateway: via.AsSlice()},
		})
	})
}

// Forward enables forwarding of IPv4 and IPv6 in the namespace. Call it before
// links are made: an existing link would join the all-routers multicast groups and
// report that by MLD.
func (ns *NS) Forward() error {
	if err := ns.Sysctl("net/ipv4/ip_forward", "1"); err != nil {
		return err
	}
	if err := ns.Sysctl("net/ipv6/conf/all/forwarding", "1"); err != nil {
		return err
	}
	// The setting "all" enables forwarding. That of a link only makes it act as a
	// router towards its neighbours.
	return ns.Sysctl("net/ipv6/conf/default/forwarding", "0")
}

// Sysctl sets a kernel parameter of the namespace. The path is relative to
// /proc/sys.
func (ns *NS) Sysctl(path, value string) error {
	return ns.Do(func() error {
		// A file below /proc/sys/net belongs to the namespace of the thread that
		// opens it.
		return os.WriteFile("/proc/sys/"+path, []byte(value), 0)
	})
}

// family returns the address family of addr.
func family(addr netip.Addr) uint8 {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
