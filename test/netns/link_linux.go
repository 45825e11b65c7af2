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

// Veth connects the namespaces a and b by a veth pair. When Veth returns, both ends
// are up and have their addresses, and each has the addresses of the other as
// permanent neighbours: the first packet needs no address resolution. An end
// without IPv6 addresses does ARP for other neighbours; see the package
// documentation.
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
	// Both ends must be up before either gets addresses: the kernel completes an
	// address later, asynchronously, if the link has no carrier yet.
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

// Bridge makes a bridge in ns with the links called ports, and sets it up. It
// forwards at once, without spanning tree and without multicast snooping.
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

// Interface returns the current state of the link called name.
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

// Rename renames the link called name. Kernels before 6.2 refuse that while the
// link is up: there Rename sets it down and up again, and it loses its routes and
// IPv6 addresses.
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

// Delete deletes the link called name. The kernel deletes both ends of a veth pair.
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

// SetDown sets the link called name down.
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

// up sets a link up that will get addrs, after it has made it quiet.
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

// awaitUp waits until a link is operational. The kernel notices the carrier of a
// link asynchronously, and drops packets until then.
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

// muteIPv6 sets IFF_NOARP on a link that will get addrs if one of them is an IPv6
// address, so that the link does not join its solicited-node group.
func (ns *NS) muteIPv6(name string, addrs []netip.Prefix) error {
	for _, addr := range addrs {
		if !addr.Addr().Is4() {
			return ns.setFlags(name, unix.IFF_NOARP, unix.IFF_NOARP)
		}
	}
	return nil
}

// setFlags sets the flags of a link that are in the mask change.
func (ns *NS) setFlags(name string, flags, change uint32) error {
	return ns.setLink(name, func(m *rtnetlink.LinkMessage) { m.Flags, m.Change = flags, change })
}

// setLink sends a change of a link, which fill fills in.
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

// rtnetlink runs fn with an rtnetlink connection in the namespace. The action
// describes fn in errors.
func (ns *NS) rtnetlink(action string, fn func(*rtnetlink.Conn) error) error {
	err := ns.Do(func() error {
		// Not by netlink.Config.NetNS: it returns to the original namespace, which a
		// process in a user namespace may not enter.
		c, err := rtnetlink.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		return fn(c)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// await calls done until it returns true. The action describes it in errors.
func (ns *NS) await(action string, done func(*rtnetlink.Conn) (bool, error)) error {
	return ns.rtnetlink(action, func(c *rtnetlink.Conn) error {
		// The kernel may take a second until it notices a change of the carrier.
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
