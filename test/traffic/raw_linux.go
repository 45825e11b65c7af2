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

// SendIP sends IPv4 and IPv6 packets, each from its IP header on, to the
// destination in that header. That makes one packet each; the kernel fills in
// an IPv4 header's checksum, total length, and identification if it is 0, and
// changes nothing of IPv6.
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
	// IPPROTO_RAW: the header comes from us.
	fd, err := socket(ns, domain(dst), unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return send(fd, packet, sockaddr(netip.AddrPortFrom(dst, 0)))
}

// destination returns the destination of an IP packet.
func destination(packet []byte) (netip.Addr, error) {
	switch {
	case len(packet) >= ipv4HeaderLen && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[16:20])), nil
	case len(packet) >= ipv6HeaderLen && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[24:40])), nil
	}
	return netip.Addr{}, errors.New("no IP header")
}

// SendFrames sends frames, each from its link header on, by the interface
// called device. They pass no hook but egress of families Netdev and INet; that
// makes one packet each at the other end of a veth pair.
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
