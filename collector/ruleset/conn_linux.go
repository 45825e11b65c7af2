// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A netlinkSocket is a socket of nfnetlink. It is not registered with Go's poller, which would wake a thread for each datagram: no
// call has to wait.
type netlinkSocket int

func openSocket(netns int) (socket, error) {
	fd := 0
	err := nflog.Privileged(netns, func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		return os.NewSyscallError("socket", err)
	})
	switch {
	case errors.Is(err, unix.EPROTONOSUPPORT):
		return nil, fmt.Errorf("%w (%w)", ErrUnsupported, err)
	case err != nil:
		return nil, fmt.Errorf("open a netfilter netlink socket: %w", err)
	}
	return netlinkSocket(fd), nil
}

func (s netlinkSocket) send(requests []byte) error {
	return nflog.Privileged(0, func() error {
		return os.NewSyscallError("sendto", unix.Sendto(int(s), requests, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	})
}

func (s netlinkSocket) receive(buf []byte) (int, error) {
	for {
		n, from, err := unix.Recvfrom(int(s), buf, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch sender, ok := from.(*unix.SockaddrNetlink); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, os.NewSyscallError("recvfrom", err)
		case !ok || sender.Pid != 0: // another process
		default:
			return n, nil
		}
	}
}

func (s netlinkSocket) close() error { return os.NewSyscallError("close", unix.Close(int(s))) }

// threadTime returns the CPU time of the calling thread.
func threadTime() time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		return 0
	}
	return time.Duration(at.Nano())
}
