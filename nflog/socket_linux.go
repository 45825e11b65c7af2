// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A socket is the transport of a [Reader]: a netlink socket that wakes a thread only if a goroutine waits for a
// datagram.
//
// A descriptor in Go's poller wakes a thread at each datagram, even while the reader is busy or pauses. That
// costs tens of microseconds. So the socket is registered with an epoll instance of its own, which is armed
// for one event at a time. Only the epoll instance is registered with Go's poller. It provides deadlines and
// a Close that interrupts, as for any file.
type socket struct {
	fd      int
	epoll   *os.File
	raw     syscall.RawConn // of epoll
	closed  atomic.Bool
	closing sync.Once
	events  [1]unix.EpollEvent

	// Functions for raw, created once: a closure per call would allocate.
	receiveFunc func(uintptr)
	waitFunc    func(uintptr) bool

	// Arguments and results of those functions.
	receiver
	armed   bool
	waitErr error
}

// dial opens a netlink socket in the network namespace with descriptor netns, or in the calling thread's if
// netns is 0. The receive buffer gets that many bytes, or as many as the process may have.
//
// dial chooses a random port. The kernel would choose the PID if it is free. But when a socket is closed, the
// kernel frees its port before it destroys the bindings of that port. A new socket with the same port would
// lose its bindings.
func dial(netns, buffer int) (*netlink.Conn, error) {
	var conn *netlink.Conn
	open := func() error {
		for {
			// PIDs are smaller.
			port := rand.Uint32() | 1<<31
			var err error
			conn, err = netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{PID: port})
			if !errors.Is(err, unix.EADDRINUSE) {
				return err
			}
		}
	}
	// The kernel checks the capabilities of the opener of a socket as well as those of the sender.
	err := inNetNS(netns, func() error { return withNetAdmin(open) })
	if failed, ok := errors.AsType[*os.SyscallError](err); ok && failed.Syscall == "setns" && errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("enter network namespace: %w (%w)", newPermissionError(netns, "CAP_SYS_ADMIN"), err)
	}
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("%w (%w)", ErrUnsupported, err)
	}
	if err != nil {
		return nil, err
	}
	if err := withNetAdmin(func() error { return conn.SetReadBuffer(buffer) }); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// openSocket opens a socket, see dial.
func openSocket(netns, buffer int) (_ *socket, err error) {
	conn, err := dial(netns, buffer)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// Without this option, the kernel drops all datagrams after an overrun until the queue is empty.
	if err := conn.SetOption(netlink.NoENOBUFS, true); err != nil {
		return nil, err
	}

	s := &socket{}
	s.receiveFunc, s.waitFunc = func(uintptr) { s.tryReceive(uintptr(s.fd)) }, s.tryWait
	if s.fd, err = dupFD(conn); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(s.fd)
		}
	}()
	s.epoll, err = newEpoll(s.fd)
	if err != nil {
		return nil, err
	}
	s.raw, err = s.epoll.SyscallConn()
	return s, err
}

// dupFD returns a descriptor of the connection's socket that is not registered with Go's poller.
func dupFD(conn *netlink.Conn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var dupErr error
	err = raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return 0, err
	}
	return fd, os.NewSyscallError("fcntl", dupErr)
}

// newEpoll returns an epoll instance that watches the descriptor. Until it is armed it reports only errors,
// which can't be masked.
func newEpoll(fd int) (*os.File, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile registers a non-blocking descriptor with Go's poller.
	if err = unix.SetNonblock(epoll, true); err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLONESHOT})
	}
	if err != nil {
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return os.NewFile(uintptr(epoll), "epoll"), nil
}

func (s *socket) send(request []byte) error {
	var err error
	if e := s.raw.Control(func(uintptr) { err = send(s.fd, request) }); e != nil {
		return s.closedErr(e)
	}
	return err
}

func (s *socket) receive(buf []byte) (n int, kernel bool, err error) {
	s.buf = buf
	if err := s.raw.Control(s.receiveFunc); err != nil {
		return 0, false, s.closedErr(err)
	}
	return s.result()
}

// wait waits until there is a datagram, the deadline passes, or the socket is closed.
func (s *socket) wait() error {
	s.waitErr = nil
	if err := s.raw.Read(s.waitFunc); err != nil {
		return s.closedErr(err)
	}
	return s.waitErr
}

// tryWait arms the epoll instance if it is not armed. If it is, tryWait takes its event, which disarms it.
// Arming also reports a datagram that is already there. A wait that ends at the deadline leaves the epoll
// instance armed.
func (s *socket) tryWait(epoll uintptr) (done bool) {
	if s.armed {
		n, _ := unix.EpollWait(int(epoll), s.events[:], 0)
		s.armed = n <= 0
		return n > 0
	}
	err := unix.EpollCtl(int(epoll), unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
	s.waitErr = os.NewSyscallError("epoll_ctl", err)
	s.armed = err == nil
	return !s.armed
}

// setReadBuffer sets the size of the receive buffer, or as much of it as the process may have.
func (s *socket) setReadBuffer(bytes int) error {
	var err error
	set := func() error {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes) == nil {
			return nil
		}
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes))
	}
	if e := s.raw.Control(func(uintptr) { err = withNetAdmin(set) }); e != nil {
		return s.closedErr(e)
	}
	return err
}

func (s *socket) setReadDeadline(t time.Time) error { return s.closedErr(s.epoll.SetReadDeadline(t)) }

func (s *socket) memInfo() (m memInfo, err error) {
	if e := s.raw.Control(func(uintptr) { m, err = getMemInfo(s.fd) }); e != nil {
		return m, s.closedErr(e)
	}
	return m, err
}

// close interrupts a waiting receive, and closes the descriptors once they are not in use.
func (s *socket) close() (err error) {
	s.closing.Do(func() {
		s.closed.Store(true)
		err = s.epoll.Close()
		if closeErr := unix.Close(s.fd); err == nil {
			err = os.NewSyscallError("close", closeErr)
		}
	})
	return err
}

// closedErr returns ErrClosed after close, instead of the error of a closed file, which matches nothing.
func (s *socket) closedErr(err error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return err
}
