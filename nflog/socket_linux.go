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

// A socket is a netlink socket whose datagrams wake nobody unless somebody waits for one.
//
// A descriptor that is registered with Go's poller wakes a thread at each datagram, at a cost of
// tens of microseconds, even while the reader is busy or at rest. So the socket is registered with
// an epoll instance of its own, armed for one event at a time, and only this is registered with
// Go's poller: it brings deadlines, and Close that interrupts, as for any file.
type socket struct {
	fd      int
	epoll   *os.File
	raw     syscall.RawConn // of epoll
	closed  atomic.Bool
	closing sync.Once
	events  [1]unix.EpollEvent

	// The functions that raw calls, bound once: a closure for each call would be an allocation.
	receiveFunc func(uintptr)
	waitFunc    func(uintptr) bool

	// Arguments and results of those functions.
	receiver
	armed   bool
	waitErr error
}

// dial opens a netlink socket in a network namespace, as in ReaderConfig, with a receive buffer of that many
// bytes, or as many as the process may have.
//
// It has a port of its own choice. The kernel would give the PID, if no other socket of the process has
// it; and when a socket is closed, the kernel frees its port before it destroys the bindings of that
// port, even if they are another socket's by then.
func dial(netns, buffer int) (*netlink.Conn, error) {
	var conn *netlink.Conn
	open := func() error {
		for {
			// No PID is as large.
			port := rand.Uint32() | 1<<31
			var err error
			conn, err = netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{PID: port})
			if !errors.Is(err, unix.EADDRINUSE) {
				return err
			}
		}
	}
	// The kernel looks at the capabilities of who has opened a socket, beside those of who sends.
	err := inNetNS(netns, func() error { return privileged(open) })
	if failed := (*os.SyscallError)(nil); errors.As(err, &failed) && failed.Syscall == "setns" && errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("enter network namespace: %w (%w)", permissionError(netns, "CAP_SYS_ADMIN"), err)
	}
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("%w (%w)", ErrUnsupported, err)
	}
	if err != nil {
		return nil, err
	}
	if err := privileged(func() error { return conn.SetReadBuffer(buffer) }); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// openSocket opens a socket as dial does.
func openSocket(netns, buffer int) (_ *socket, err error) {
	conn, err := dial(netns, buffer)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// Without this option, one datagram too many makes the kernel drop all that follow, until the
	// queue is empty.
	if err := conn.SetOption(netlink.NoENOBUFS, true); err != nil {
		return nil, err
	}

	s := &socket{}
	s.receiveFunc, s.waitFunc = func(uintptr) { s.tryReceive(uintptr(s.fd)) }, s.tryWait
	if s.fd, err = duplicate(conn); err != nil {
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

// duplicate returns a descriptor of the connection's socket that Go's poller does not know.
func duplicate(conn *netlink.Conn) (int, error) {
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

// newEpoll returns an epoll instance that watches the descriptor for errors alone, as long as it is not
// armed for more: they can't be left out.
func newEpoll(fd int) (*os.File, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// A file is registered with Go's poller if it does not block.
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
		return s.error(e)
	}
	return err
}

func (s *socket) receive(buf []byte) (n int, kernel bool, err error) {
	s.buf = buf
	if err := s.raw.Control(s.receiveFunc); err != nil {
		return 0, false, s.error(err)
	}
	return s.result()
}

// wait returns when there is something to receive, at the deadline, or when the socket is closed.
func (s *socket) wait() error {
	s.waitErr = nil
	if err := s.raw.Read(s.waitFunc); err != nil {
		return s.error(err)
	}
	return s.waitErr
}

// tryWait arms the epoll instance, which takes note of what is there to receive already, and once
// it is armed, takes its event, which disarms it. A wait that the deadline ended leaves it armed.
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

// setReadBuffer sets the size of the receive buffer, as far as the process may.
func (s *socket) setReadBuffer(bytes int) error {
	var err error
	set := func() error {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes) == nil {
			return nil
		}
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes))
	}
	if e := s.raw.Control(func(uintptr) { err = privileged(set) }); e != nil {
		return s.error(e)
	}
	return err
}

func (s *socket) setReadDeadline(t time.Time) error { return s.error(s.epoll.SetReadDeadline(t)) }

func (s *socket) memory() (m socketMemory, err error) {
	if e := s.raw.Control(func(uintptr) { m, err = memory(s.fd) }); e != nil {
		return m, s.error(e)
	}
	return m, err
}

// close closes the descriptors when nobody uses them, having interrupted whoever waits.
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

// error translates the error of a closed file, which nothing matches.
func (s *socket) error(err error) error {
	if err != nil && s.closed.Load() {
		return ErrClosed
	}
	return err
}
