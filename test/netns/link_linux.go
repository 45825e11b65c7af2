// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Veth joins namespaces a and b by a veth pair. Both ends are up, have their
// addresses and know each other's as permanent neighbours when Veth returns, so
// that the first packet needs no address resolution. An end without IPv6
// addresses does ARP for other neighbours; see the package documentation.
func Veth(a *NS, aName string, aAddrs []netip.Prefix, b *NS, bName string, bAddrs []netip.Prefix) error {
	err := a.newLink(aName, &driver.Veth{PeerInfo: &rtnetlink.LinkMessage{
		Attributes: &rtnetlink.LinkAttributes{
			Name:  bName,
			NetNS: rtnetlink.NetNSForFD(uint32(b.FD())),
		},
	}})
	if err != nil {
		return err
	}
	// Both up before either gets addresses: an address of a link without
	// carrier is set up later, behind our back.
	if err := errors.Join(a.up(aName, aAddrs), b.up(bName, bAddrs)); err != nil {
		return err
	}
	if err := errors.Join(a.awaitUp(aName), b.awaitUp(bName)); err != nil {
		return err
	}
	if err := errors.Join(a.AddAddresses(aName, aAddrs...), b.AddAddresses(bName, bAddrs...)); err != nil {
		return err
	}
	return errors.Join(a.addNeighbors(aName, b, bName, bAddrs), b.addNeighbors(bName, a, aName, aAddrs))
}

// Bridge makes a bridge in ns, which is up and has the links called ports as
// its ports. It forwards at once, without spanning tree and without multicast
// snooping.
func Bridge(ns *NS, name string, ports ...string) error {
	attributes, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.IFLA_BR_MCAST_SNOOPING, Data: []byte{0}},
	})
	if err != nil {
		return fmt.Errorf("make bridge %s: %w", name, err)
	}
	if err := ns.newLink(name, &rtnetlink.LinkData{Name: "bridge", Data: attributes}); err != nil {
		return err
	}
	bridge, err := ns.Interface(name)
	if err != nil {
		return err
	}
	master := uint32(bridge.Index)
	for _, port := range ports {
		if err := ns.setLink(port, func(m *rtnetlink.LinkMessage) { m.Attributes.Master = &master }); err != nil {
			return err
		}
	}
	if err := ns.up(name, nil); err != nil || len(ports) == 0 {
		return err
	}
	return ns.awaitUp(name)
}

// Interface returns the link called name as the kernel knows it now.
func (ns *NS) Interface(name string) (*net.Interface, error) {
	var ifi *net.Interface
	err := ns.Do(func() (err error) {
		ifi, err = net.InterfaceByName(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	return ifi, nil
}

// Rename gives the link called name another one. Kernels before 6.2 refuse that
// for a link that is up: there it goes down and up again, and loses its routes
// and IPv6 addresses.
func (ns *NS) Rename(name, to string) error {
	rename := func(m *rtnetlink.LinkMessage) { m.Attributes.Name = to }
	err := ns.setLink(name, rename)
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	if err := ns.SetDown(name); err != nil {
		return err
	}
	return errors.Join(ns.setLink(name, rename), ns.SetUp(to))
}

// Delete deletes the link called name; with one end of a veth pair goes the
// other.
func (ns *NS) Delete(name string) error {
	ifi, err := ns.Interface(name)
	if err != nil {
		return err
	}
	return ns.rtnetlink("delete interface "+name, func(c *rtnetlink.Conn) error {
		return c.Link.Delete(uint32(ifi.Index))
	})
}

// SetUp sets the link called name up.
func (ns *NS) SetUp(name string) error {
	return ns.setFlags(name, unix.IFF_UP, unix.IFF_UP)
}

// SetDown takes the link called name down.
func (ns *NS) SetDown(name string) error {
	return ns.setFlags(name, 0, unix.IFF_UP)
}

// newLink makes a link, which is down.
func (ns *NS) newLink(name string, d rtnetlink.LinkDriver) error {
	return ns.rtnetlink("make "+d.Kind()+" "+name, func(c *rtnetlink.Conn) error {
		return c.Link.New(&rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
			Name: name,
			Info: &rtnetlink.LinkInfo{Kind: d.Kind(), Data: d},
		}})
	})
}

// up silences a link that is to get addrs and sets it up.
func (ns *NS) up(name string, addrs []netip.Prefix) error {
	// Mode 1 (IN6_ADDR_GEN_MODE_NONE): no link-local address, and with it no
	// router solicitations, no duplicate address detection and no MLD report.
	if err := ns.Sysctl("net/ipv6/conf/"+name+"/addr_gen_mode", "1"); err != nil {
		return err
	}
	if err := ns.Sysctl("net/ipv6/conf/"+name+"/accept_ra", "0"); err != nil {
		return err
	}
	if err := ns.muteIPv6(name, addrs); err != nil {
		return err
	}
	return ns.SetUp(name)
}

// awaitUp waits until a link sends. The kernel notices asynchronously that a
// link has got a carrier, and until then it drops what is sent there.
func (ns *NS) awaitUp(name string) error {
	ifi, err := ns.Interface(name)
	if err != nil {
		return err
	}
	return ns.await("wait for interface "+name, func(c *rtnetlink.Conn) (bool, error) {
		link, err := c.Link.Get(uint32(ifi.Index))
		return err == nil && link.Attributes.OperationalState == rtnetlink.OperStateUp, err
	})
}

// muteIPv6 keeps a link that is to get addrs from joining their solicited-node
// groups, if there are IPv6 addresses among them.
func (ns *NS) muteIPv6(name string, addrs []netip.Prefix) error {
	for _, addr := range addrs {
		if !addr.Addr().Is4() {
			return ns.setFlags(name, unix.IFF_NOARP, unix.IFF_NOARP)
		}
	}
	return nil
}

// setFlags sets those flags of a link that change names to what they are in
// flags.
func (ns *NS) setFlags(name string, flags, change uint32) error {
	return ns.setLink(name, func(m *rtnetlink.LinkMessage) { m.Flags, m.Change = flags, change })
}

// setLink changes a link as fill says.
func (ns *NS) setLink(name string, fill func(*rtnetlink.LinkMessage)) error {
	ifi, err := ns.Interface(name)
	if err != nil {
		return err
	}
	m := &rtnetlink.LinkMessage{Index: uint32(ifi.Index), Attributes: &rtnetlink.LinkAttributes{}}
	fill(m)
	return ns.rtnetlink("change interface "+name, func(c *rtnetlink.Conn) error {
		return c.Link.Set(m)
	})
}

// rtnetlink runs fn, which does what the words say, on a connection to the
// namespace.
func (ns *NS) rtnetlink(does string, fn func(*rtnetlink.Conn) error) error {
	err := ns.Do(func() error {
		// Not by netlink.Config.NetNS: that goes back to the namespace that it
		// came from, which a process in a user namespace may not enter.
		c, err := rtnetlink.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		return fn(c)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", does, err)
	}
	return nil
}

// await polls done, which waits for what the words say, until it reports true.
func (ns *NS) await(does string, done func(*rtnetlink.Conn) (bool, error)) error {
	return ns.rtnetlink(does, func(c *rtnetlink.Conn) error {
		// The kernel may let a second pass between two looks at its links.
		const timeout = 10 * time.Second
		for deadline := time.Now().Add(timeout); ; time.Sleep(time.Millisecond) {
			if ok, err := done(c); ok || err != nil {
				return err
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("not done after %v", timeout)
			}
		}
	})
}
