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

// UDP sends count datagrams of payloadSize bytes to dst, from one port. That
// makes count packets of payloadSize+28 bytes (IPv4) or +48 (IPv6); larger ones
// than the path takes are one packet each at the output hook, and fragments
// from the postrouting hook on.
func UDP(ns *netns.NS, dst netip.AddrPort, count, payloadSize int) error {
	return wrap(sendUDP(ns, dst, count, make([]byte, payloadSize), 0), "UDP", dst)
}

// UDPSegments sends one datagram of segments*segmentSize bytes to dst and lets
// the network device cut it into segments (UDP_SEGMENT). That makes one packet
// at the output hook, and beyond lo and veth devices, which leave the cutting
// to the receiving socket.
func UDPSegments(ns *netns.NS, dst netip.AddrPort, segments, segmentSize int) error {
	return wrap(sendUDP(ns, dst, 1, make([]byte, segments*segmentSize), segmentSize), "UDP segments", dst)
}

// sendUDP sends payload count times, in segments of segmentSize if that is not
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
	// Not connected: then ICMP errors don't come back as errors of sendto.
	to := sockaddr(dst)
	for range count {
		if err := send(fd, payload, to); err != nil {
			return err
		}
	}
	return nil
}

// Sink takes UDP datagrams for addr in ns and throws them away until it is
// closed.
func Sink(ns *netns.NS, addr netip.AddrPort) (io.Closer, error) {
	var conn *net.UDPConn
	err := ns.Do(func() (err error) {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	// Nobody reads: the kernel drops what does not fit into the buffer.
	return conn, nil
}
