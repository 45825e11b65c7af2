// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Constants of include/uapi/linux/if_link.h and if_tunnel.h that package unix lacks.
const (
	macvlanModeBridge         = 4
	ipvlanModeL2              = 0
	greLocal, greRemote       = 6, 7
	tunnelLocal, tunnelRemote = 2, 3
)

// A Kind is a kind of link with its settings. [NS.Add] makes a link of it.
type Kind struct {
	name   string // IFLA_INFO_KIND
	parent string // link that it sends by, or none
	fill   func(*netlink.AttributeEncoder)
}

// VLAN returns the kind of a link that sends by parent with a tag. The EtherType is
// that of the tag: 0x8100, or 0x88a8 for the outer of two tags.
func VLAN(parent string, etherType, id uint16) Kind {
	return Kind{name: "vlan", parent: parent, fill: func(ae *netlink.AttributeEncoder) {
		ae.Uint16(unix.IFLA_VLAN_ID, id)
		ae.Bytes(unix.IFLA_VLAN_PROTOCOL, binary.BigEndian.AppendUint16(nil, etherType))
	}}
}

// Macvlan returns the kind of a link that sends by parent with a hardware address of
// its own.
func Macvlan(parent string) Kind {
	return Kind{name: "macvlan", parent: parent, fill: func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.IFLA_MACVLAN_MODE, macvlanModeBridge)
	}}
}

// Ipvlan returns the kind of a link that sends by parent with its hardware address.
func Ipvlan(parent string) Kind {
	return Kind{name: "ipvlan", parent: parent, fill: func(ae *netlink.AttributeEncoder) {
		ae.Uint16(unix.IFLA_IPVLAN_MODE, ipvlanModeL2)
	}}
}

// Bond returns the kind of a bond of which one port is active.
func Bond() Kind {
	return Kind{name: "bond", fill: func(ae *netlink.AttributeEncoder) {
		ae.Uint8(unix.IFLA_BOND_MODE, 1)     // active-backup
		ae.Uint32(unix.IFLA_BOND_MIIMON, 10) // milliseconds
	}}
}

// VRF returns the kind of a VRF with a routing table.
func VRF(table uint32) Kind {
	return Kind{name: "vrf", fill: func(ae *netlink.AttributeEncoder) { ae.Uint32(unix.IFLA_VRF_TABLE, table) }}
}

// GRE returns the kind of a GRE tunnel between two IPv4 addresses.
func GRE(local, remote netip.Addr) Kind {
	return Kind{name: "gre", fill: func(ae *netlink.AttributeEncoder) {
		ae.Bytes(greLocal, local.AsSlice())
		ae.Bytes(greRemote, remote.AsSlice())
	}}
}

// IPIP returns the kind of a tunnel for IPv4 between two IPv4 addresses.
func IPIP(local, remote netip.Addr) Kind {
	return Kind{name: "ipip", fill: func(ae *netlink.AttributeEncoder) {
		ae.Bytes(tunnelLocal, local.AsSlice())
		ae.Bytes(tunnelRemote, remote.AsSlice())
	}}
}

// VXLAN returns the kind of a VXLAN between two IPv4 addresses, at UDP port 4789.
func VXLAN(id uint32, local, remote netip.Addr) Kind {
	return Kind{name: "vxlan", fill: func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.IFLA_VXLAN_ID, id)
		ae.Bytes(unix.IFLA_VXLAN_LOCAL, local.AsSlice())
		ae.Bytes(unix.IFLA_VXLAN_GROUP, remote.AsSlice())
		ae.Bytes(unix.IFLA_VXLAN_PORT, binary.BigEndian.AppendUint16(nil, 4789))
	}}
}

// WireGuard returns the kind of a WireGuard interface, which [JoinWireGuard] connects.
func WireGuard() Kind { return Kind{name: "wireguard"} }

// Add makes a link with addresses, and sets it up. It returns an error that is
// [unix.EOPNOTSUPP] if the kernel lacks the kind. The ports become ports of the link,
// after they are set down.
func (ns *NS) Add(name string, kind Kind, addrs []netip.Prefix, ports ...string) error {
	link := rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
		Name: name,
		Info: &rtnetlink.LinkInfo{Kind: kind.name},
	}}
	if kind.fill != nil {
		ae := netlink.NewAttributeEncoder()
		kind.fill(ae)
		data, err := ae.Encode()
		if err != nil {
			return fmt.Errorf("make %s %s: %w", kind.name, name, err)
		}
		link.Attributes.Info.Data = &rtnetlink.LinkData{Name: kind.name, Data: data}
	}
	if kind.parent != "" {
		parent, err := ns.Interface(kind.parent)
		if err != nil {
			return err
		}
		link.Attributes.Type = uint32(parent.Index) // IFLA_LINK, in spite of its name
	}
	err := ns.rtnetlink("make "+kind.name+" "+name, func(c *rtnetlink.Conn) error { return c.Link.New(&link) })
	if err != nil {
		return err
	}
	if err := ns.up(name, addrs); err != nil {
		return err
	}
	for _, port := range ports {
		if err := ns.setPort(port, name); err != nil {
			return err
		}
	}
	return ns.AddAddresses(name, addrs...)
}

// setPort makes a link, which is set down before, a port of another one, and waits
// until that has a carrier.
func (ns *NS) setPort(port, master string) error {
	ifi, err := ns.Interface(master)
	if err != nil {
		return err
	}
	if err := ns.SetDown(port); err != nil {
		return err
	}
	index := uint32(ifi.Index)
	if err := ns.setLink(port, func(m *rtnetlink.LinkMessage) { m.Attributes.Master = &index }); err != nil {
		return err
	}
	if err := ns.SetUp(port); err != nil {
		return err
	}
	return ns.awaitUp(master)
}
