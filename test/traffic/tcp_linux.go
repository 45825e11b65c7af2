// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// TCP makes count connections from client to dst, one after the other. It listens
// on dst in server. On each connection, payloadSize bytes go to the server and back.
// A connection has one SYN and one FIN from client, and one SYN-ACK and one FIN from
// server. The number of segments with data and acknowledgements is up to the kernel.
func TCP(client, server *netns.NS, dst netip.AddrPort, count, payloadSize int) error {
	var listener *net.TCPListener
	err := server.Do(func() (err error) {
		listener, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(dst))
		return err
	})
	if err != nil {
		return fmt.Errorf("listen on TCP %s: %w", dst, err)
	}
	defer listener.Close()

	for range count {
		if err := exchange(client, listener, dst, make([]byte, payloadSize)); err != nil {
			return wrap(err, "TCP", dst)
		}
	}
	return nil
}

// exchange makes a connection from client to listener and sends payload there and
// back.
func exchange(client *netns.NS, listener *net.TCPListener, dst netip.AddrPort, payload []byte) error {
	var conn *net.TCPConn
	err := client.Do(func() (err error) {
		conn, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(dst))
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()

	echoed := make(chan error, 1)
	go func() { echoed <- echo(listener) }()

	if _, err := conn.Write(payload); err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, conn)
	if err == nil && n != int64(len(payload)) {
		err = fmt.Errorf("sent %d bytes, got %d back", len(payload), n)
	}
	return errors.Join(err, <-echoed)
}

// echo accepts a connection and sends back the data that it receives.
func echo(listener *net.TCPListener) error {
	conn, err := listener.AcceptTCP()
	if err != nil {
		return err
	}
	defer conn.Close()
	received, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	_, err = conn.Write(received)
	return err
}

// SYN tries to connect to dst count times, each time from a new port, like a port
// scan. It does not wait for an answer. If nothing listens there or a rule drops
// the packets, it sends count packets with only the SYN flag, and no repetitions.
func SYN(ns *netns.NS, dst netip.AddrPort, count int) error {
	for range count {
		if err := syn(ns, dst); err != nil {
			return wrap(err, "TCP SYN", dst)
		}
	}
	return nil
}

// syn tries to connect to dst once.
func syn(ns *netns.NS, dst netip.AddrPort) error {
	fd, err := socket(ns, domain(dst.Addr()), unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	// Closing a socket that waits for SYN-ACK ends the attempt without a packet.
	defer unix.Close(fd)
	err = unix.Connect(fd, sockaddr(dst))
	if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.ECONNREFUSED) {
		return nil
	}
	return os.NewSyscallError("connect", err)
}
