// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"crypto/ecdh"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// An End is one end of a WireGuard tunnel.
type End struct {
	NS     *NS
	Name   string           // of the interface
	Key    *ecdh.PrivateKey // of X25519
	Listen netip.AddrPort   // where the other end reaches it
}

// JoinWireGuard connects two ends, each of which may send any IPv4 address. The
// first packet makes them shake hands.
func JoinWireGuard(a, b End) error {
	return errors.Join(a.addPeer(b), b.addPeer(a))
}

// addPeer sets the key and port of an end, and adds the other one. The attributes
// are those of include/uapi/linux/wireguard.h.
func (e End) addPeer(peer End) error {
	const (
		setDevice = 1 // WG_CMD_SET_DEVICE

		deviceName, devicePrivateKey, deviceListenPort, devicePeers = 2, 3, 6, 8 // WGDEVICE_A_…
		peerPublicKey, peerEndpoint, peerAllowedIPs                 = 1, 4, 9    // WGPEER_A_…
		ipFamily, ipAddr, ipMask                                    = 1, 2, 3    // WGALLOWEDIP_A_…
	)
	endpoint := binary.NativeEndian.AppendUint16(nil, unix.AF_INET) // a struct sockaddr_in
	endpoint = binary.BigEndian.AppendUint16(endpoint, peer.Listen.Port())
	endpoint = append(append(endpoint, peer.Listen.Addr().AsSlice()...), make([]byte, 8)...)

	ae := netlink.NewAttributeEncoder()
	ae.String(deviceName, e.Name)
	ae.Bytes(devicePrivateKey, e.Key.Bytes())
	ae.Uint16(deviceListenPort, e.Listen.Port())
	ae.Nested(devicePeers, func(ae *netlink.AttributeEncoder) error {
		ae.Nested(0, func(ae *netlink.AttributeEncoder) error {
			ae.Bytes(peerPublicKey, peer.Key.PublicKey().Bytes())
			ae.Bytes(peerEndpoint, endpoint)
			ae.Nested(peerAllowedIPs, func(ae *netlink.AttributeEncoder) error {
				ae.Nested(0, func(ae *netlink.AttributeEncoder) error {
					ae.Uint16(ipFamily, unix.AF_INET)
					ae.Bytes(ipAddr, make([]byte, 4))
					ae.Uint8(ipMask, 0)
					return nil
				})
				return nil
			})
			return nil
		})
		return nil
	})
	attributes, err := ae.Encode()
	if err == nil {
		err = e.NS.generic("wireguard", setDevice, attributes)
	}
	if err != nil {
		return fmt.Errorf("configure WireGuard interface %s: %w", e.Name, err)
	}
	return nil
}

// generic sends a request to a family of generic netlink.
func (ns *NS) generic(family string, command uint8, attributes []byte) error {
	return ns.Do(func() error {
		c, err := netlink.Dial(unix.NETLINK_GENERIC, nil)
		if err != nil {
			return err
		}
		defer c.Close()
		id, err := genericFamily(c, family)
		if err != nil {
			return err
		}
		_, err = c.Execute(genericMessage(id, netlink.Acknowledge, command, attributes))
		return err
	})
}

// genericFamily returns the number of a family of generic netlink.
func genericFamily(c *netlink.Conn, name string) (id uint16, err error) {
	attributes, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.CTRL_ATTR_FAMILY_NAME, Data: append([]byte(name), 0)},
	})
	if err != nil {
		return 0, err
	}
	replies, err := c.Execute(genericMessage(unix.GENL_ID_CTRL, 0, unix.CTRL_CMD_GETFAMILY, attributes))
	if err != nil {
		return 0, err
	}
	for _, reply := range replies {
		ad, err := netlink.NewAttributeDecoder(reply.Data[unix.GENL_HDRLEN:])
		if err != nil {
			return 0, err
		}
		for ad.Next() {
			if ad.Type() == unix.CTRL_ATTR_FAMILY_ID {
				id = ad.Uint16()
			}
		}
		if err := ad.Err(); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// genericMessage returns a request to a family of generic netlink.
func genericMessage(family uint16, flags netlink.HeaderFlags, command uint8, attributes []byte) netlink.Message {
	const version = 1
	return netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(family), Flags: netlink.Request | flags},
		Data:   append([]byte{command, version, 0, 0}, attributes...),
	}
}
