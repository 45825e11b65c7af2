// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// SendIP sends IPv4 and IPv6 packets, which begin with their IP header, to the
// destination in that header: one packet each. The kernel sets the checksum and the
// total length of an IPv4 header, and its identification if that is 0. It does not
// change IPv6 packets.
func SendIP(ns *netns.NS, packets ...[]byte) error {
	for i, packet := range packets {
		if err := sendIP(ns, packet); err != nil {
			return fmt.Errorf("send IP packet %d: %w", i, err)
		}
	}
	return nil
}

// sendIP sends one IP packet.
func sendIP(ns *netns.NS, packet []byte) error {
	dst, err := destination(packet)
	if err != nil {
		return err
	}
	// With IPPROTO_RAW the packet includes the IP header.
	fd, err := socket(ns, domain(dst), unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return send(fd, packet, sockaddr(netip.AddrPortFrom(dst, 0)))
}

// destination returns the destination address of an IP packet.
func destination(packet []byte) (netip.Addr, error) {
	switch {
	case len(packet) >= ipv4HeaderLen && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[16:20])), nil
	case len(packet) >= ipv6HeaderLen && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[24:40])), nil
	}
	return netip.Addr{}, errors.New("no IP header")
}

// SendFrames sends frames, which begin with their link header, by the interface
// called device. On their way out they pass only the egress hook (families Netdev
// and INet). Each is one packet at the other end of a veth pair.
func SendFrames(ns *netns.NS, device string, frames ...[]byte) error {
	ifi, err := ns.Interface(device)
	if err != nil {
		return err
	}
	fd, err := socket(ns, unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return wrap(err, "frames", device)
	}
	defer unix.Close(fd)
	for _, frame := range frames {
		if err := send(fd, frame, &unix.SockaddrLinklayer{Ifindex: ifi.Index}); err != nil {
			return wrap(err, "frames", device)
		}
	}
	return nil
}
