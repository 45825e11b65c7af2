// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"os"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A connSocket is the transport of an [Nflog]: it reads and writes the socket of a [netlink.Conn]. It waits in
// Go's poller like the Conn, so the Conn's deadlines and Close apply to it.
type connSocket struct {
	raw   syscall.RawConn
	netns *os.File // network namespace of the socket, or nil if /proc is not available

	// Functions for raw, created once: a closure per call would allocate.
	receiveFunc func(uintptr)
	waitFunc    func(uintptr) bool

	// Arguments and results of those functions.
	receiver
}

func newConnSocket(conn *netlink.Conn, netns int) (*connSocket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &connSocket{raw: raw}
	if netns == 0 {
		s.netns, _ = os.Open(threadNetNS)
	} else {
		fd, err := unix.FcntlInt(uintptr(netns), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, os.NewSyscallError("fcntl", err)
		}
		s.netns = os.NewFile(uintptr(fd), "netns")
	}
	s.receiveFunc = s.tryReceive
	s.waitFunc = func(fd uintptr) (done bool) {
		s.tryReceive(fd)
		return s.errno != syscall.EAGAIN
	}
	return s, nil
}

func (s *connSocket) send(request []byte) error {
	var err error
	if s.raw.Control(func(fd uintptr) { err = send(int(fd), request) }) != nil {
		return ErrClosed
	}
	return err
}

func (s *connSocket) receive(buf []byte) (n int, kernel bool, err error) {
	s.buf = buf
	if s.raw.Control(s.receiveFunc) != nil {
		return 0, false, ErrClosed
	}
	return s.result()
}

// wait is like receive, but waits for a datagram until the deadline.
func (s *connSocket) wait(buf []byte) (n int, kernel bool, err error) {
	s.buf = buf
	switch err := s.raw.Read(s.waitFunc); {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, false, err
	case err != nil: // the file is closed; the error matches nothing
		return 0, false, ErrClosed
	}
	n, kernel, err = s.result()
	return n, kernel, os.NewSyscallError("recvfrom", err)
}

func (s *connSocket) memInfo() (m memInfo, err error) {
	if s.raw.Control(func(fd uintptr) { m, err = getMemInfo(int(fd)) }) != nil {
		return m, ErrClosed
	}
	return m, err
}

// netnsFD returns a descriptor of the socket's network namespace for inNetNS. It returns 0 if the calling
// thread is in that namespace already, because entering it needs a capability.
func (s *connSocket) netnsFD() int {
	if s.netns == nil {
		return 0
	}
	own, err := s.netns.Stat()
	if err != nil {
		return 0
	}
	if thread, err := os.Stat(threadNetNS); err == nil && os.SameFile(own, thread) {
		return 0
	}
	return int(s.netns.Fd())
}

// release closes everything but the Conn.
func (s *connSocket) release() { _ = s.netns.Close() }
