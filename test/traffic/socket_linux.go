// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// socket makes a socket inside ns.
func socket(ns *netns.NS, domain, typ, protocol int) (fd int, err error) {
	err = ns.Do(func() (err error) {
		fd, err = unix.Socket(domain, typ|unix.SOCK_CLOEXEC, protocol)
		return os.NewSyscallError("socket", err)
	})
	return fd, err
}

// send sends a datagram.
func send(fd int, b []byte, to unix.Sockaddr) error {
	for {
		err := unix.Sendto(fd, b, 0, to)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EPERM):
			// A rule of the output hook dropped it, so it has passed the rules before.
			return nil
		default:
			return os.NewSyscallError("sendto", err)
		}
	}
}

// domain returns the socket domain of addr.
func domain(addr netip.Addr) int {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// sockaddr converts addr.
func sockaddr(addr netip.AddrPort) unix.Sockaddr {
	if addr.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	}
	return &unix.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())}
}

// wrap adds to an error the kind of the packets and their destination.
func wrap(err error, what string, to any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("send %s to %v: %w", what, to, err)
}
