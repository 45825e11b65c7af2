// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// Types of ICMP and ICMPv6 messages.
const (
	icmpEchoRequest   = 8
	icmpv6EchoRequest = 128
)

// Echo sends count ICMP or ICMPv6 echo requests with payloadSize bytes of data to
// dst: count packets of payloadSize+28 bytes (IPv4) or payloadSize+48 bytes (IPv6).
// It does not wait for the replies, which the receiving kernel sends.
func Echo(ns *netns.NS, dst netip.Addr, count, payloadSize int) error {
	return wrap(sendEcho(ns, dst, count, payloadSize), "ICMP echo", dst)
}

func sendEcho(ns *netns.NS, dst netip.Addr, count, payloadSize int) error {
	protocol, typ := unix.IPPROTO_ICMP, uint8(icmpEchoRequest)
	if dst.Is6() {
		protocol, typ = unix.IPPROTO_ICMPV6, icmpv6EchoRequest
	}
	fd, err := socket(ns, domain(dst), unix.SOCK_RAW, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)

	to := sockaddr(netip.AddrPortFrom(dst, 0))
	for i := range count {
		// The kernel sets the checksum of ICMPv6: it covers the source address, which
		// the kernel selects.
		body := make([]byte, 4+payloadSize)
		body[0], body[1] = 'n', 'f' // identifier
		body[2], body[3] = byte(i>>8), byte(i)
		if err := send(fd, icmpMessage(typ, 0, body), to); err != nil {
			return err
		}
	}
	return nil
}
