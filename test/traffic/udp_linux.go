// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// UDP sends count datagrams of payloadSize bytes to dst from one port: count packets
// of payloadSize+28 bytes (IPv4) or payloadSize+48 bytes (IPv6). A datagram beyond the
// MTU of the path is one packet at the output hook, and fragments after the
// postrouting hook.
func UDP(ns *netns.NS, dst netip.AddrPort, count, payloadSize int) error {
	return wrap(sendUDP(ns, dst, count, make([]byte, payloadSize), 0), "UDP", dst)
}

// UDPSegments sends segments*segmentSize bytes to dst, to be split into datagrams of
// segmentSize bytes by the network device (UDP_SEGMENT). It is one packet at the
// output hook. On lo and veth devices it remains one: there the receiving socket
// splits it.
func UDPSegments(ns *netns.NS, dst netip.AddrPort, segments, segmentSize int) error {
	return wrap(sendUDP(ns, dst, 1, make([]byte, segments*segmentSize), segmentSize), "UDP segments", dst)
}

// sendUDP sends payload count times, in segments of segmentSize bytes unless that is
// 0.
func sendUDP(ns *netns.NS, dst netip.AddrPort, count int, payload []byte, segmentSize int) error {
	fd, err := socket(ns, domain(dst.Addr()), unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if segmentSize > 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT, segmentSize); err != nil {
			return os.NewSyscallError("setsockopt UDP_SEGMENT", err)
		}
	}
	// The socket is not connected, so that sendto does not return ICMP errors.
	to := sockaddr(dst)
	for range count {
		if err := send(fd, payload, to); err != nil {
			return err
		}
	}
	return nil
}

// Sink opens a socket at addr in ns that receives and discards UDP datagrams until
// it is closed.
func Sink(ns *netns.NS, addr netip.AddrPort) (io.Closer, error) {
	var conn *net.UDPConn
	err := ns.Do(func() (err error) {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	// Nothing reads from it: the kernel drops datagrams when its buffer is full.
	return conn, nil
}
