// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// linkBuffer is the size of the receive buffer for link messages. It holds a few hundred.
	linkBuffer = 1 << 20

	// linkMessageLen is more than the longest datagram of link messages.
	linkMessageLen = 64 << 10

	// Shortest and longest wait before a socket that failed is opened again.
	minReopenDelay = time.Second
	maxReopenDelay = time.Minute
)

// Open returns the names of the interfaces in a network namespace, and follows changes until Close. netns is a descriptor of
// the namespace, or 0 for the one of the process. It may be closed after Open returns.
func Open(netns int, logger log.Logger) (*Names, error) {
	f, err := newLinkFollower(netns, logger)
	if err != nil {
		return nil, err
	}
	messages, err := f.subscribe()
	if err != nil {
		f.close()
		return nil, err
	}
	f.start(messages)
	return f.names, nil
}

// A linkFollower keeps names up to date by the messages of rtnetlink's multicast group RTNLGRP_LINK.
type linkFollower struct {
	names  *Names
	logger log.Logger
	netns  int // a descriptor of its own, or 0
	buffer int

	// conn is the socket for requests. Link messages have their own socket, see subscribe, so that they do not come
	// between a request and its answer.
	conn *netlink.Conn
	raw  syscall.RawConn
}

// newLinkFollower opens the socket for requests.
func newLinkFollower(netns int, logger log.Logger) (*linkFollower, error) {
	f := &linkFollower{logger: logger, buffer: linkBuffer}
	f.names = newNames(f.query)

	if netns != 0 {
		// Kept to open sockets with. A descriptor of 3 or more is never a standard stream, nor 0.
		fd, err := unix.FcntlInt(uintptr(netns), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, fmt.Errorf("duplicate the descriptor of the network namespace: %w", err)
		}
		f.netns = fd
	}

	var err error
	if f.conn, err = f.dial(); err != nil {
		f.close()
		return nil, err
	}
	if f.raw, err = f.conn.SyscallConn(); err != nil {
		f.close()
		return nil, fmt.Errorf("use a route netlink socket: %w", err)
	}
	// Kernels before 4.15 refuse the query on such a socket. Fail now rather than know no name later.
	if _, err := f.query(1); err != nil && !errors.Is(err, errNoInterface) {
		f.close()
		return nil, err
	}
	return f, nil
}

// close closes what newLinkFollower opened.
func (f *linkFollower) close() {
	if f.conn != nil {
		_ = f.conn.Close()
	}
	if f.netns != 0 {
		_ = unix.Close(f.netns)
	}
}

// dial opens a socket in the network namespace.
func (f *linkFollower) dial() (*netlink.Conn, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: f.netns})
	if err != nil {
		return nil, fmt.Errorf("open a route netlink socket: %w", err)
	}
	return conn, nil
}

// query asks the kernel for the name of an interface. Unlike RTM_GETLINK, this ioctl does not wait for the RTNL, which
// every change of an interface holds: a reader of packets must not stop while a node tears down a hundred containers.
func (f *linkFollower) query(index uint32) (string, error) {
	request, err := unix.NewIfreq("")
	if err != nil {
		return "", err
	}
	request.SetUint32(index)

	var errno error
	err = f.raw.Control(func(fd uintptr) {
		errno = unix.IoctlIfreq(int(fd), unix.SIOCGIFNAME, request)
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("get the name of interface %d: %w", index, err)
	case errors.Is(errno, unix.ENODEV):
		return "", errNoInterface
	case errno != nil:
		return "", fmt.Errorf("get the name of interface %d: %w", index, errno)
	}
	return request.Name(), nil
}

// subscribe opens a socket for link messages, and then updates all names, so that it misses no change in between.
func (f *linkFollower) subscribe() (*netlink.Conn, error) {
	messages, err := f.dial()
	if err != nil {
		return nil, err
	}
	if err := messages.SetReadBuffer(f.buffer); err != nil {
		_ = messages.Close()
		return nil, fmt.Errorf("set the receive buffer for link messages: %w", err)
	}
	if err := messages.JoinGroup(unix.RTNLGRP_LINK); err != nil {
		_ = messages.Close()
		return nil, fmt.Errorf("subscribe to link messages: %w", err)
	}
	if err := f.refreshAll(); err != nil {
		_ = messages.Close()
		return nil, err
	}
	return messages, nil
}

// start follows changes until the Names are closed.
func (f *linkFollower) start(messages *netlink.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f.run(ctx, messages) })
	f.names.unfollow = sync.OnceFunc(func() {
		cancel()
		_ = f.conn.Close() // ends a dump
		wg.Wait()
		f.close()
	})
}

// run follows changes until the context ends. It opens a new socket when one fails.
func (f *linkFollower) run(ctx context.Context, messages *netlink.Conn) {
	delay := minReopenDelay
	for {
		opened := time.Now()
		err := f.follow(ctx, messages)
		if ctx.Err() != nil {
			return
		}
		level.Warn(f.logger).Log("msg", "Following changes of interfaces failed. Trying again.", "err", err)
		if time.Since(opened) > maxReopenDelay {
			delay = minReopenDelay
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(delay):
			}
			delay = min(2*delay, maxReopenDelay)
			if messages, err = f.subscribe(); err == nil {
				break
			}
		}
		level.Info(f.logger).Log("msg", "Following changes of interfaces again")
	}
}

// follow handles messages until their socket fails or the context ends. It closes the socket.
func (f *linkFollower) follow(ctx context.Context, messages *netlink.Conn) error {
	interrupt := func() { _ = messages.Close() }
	defer interrupt()
	defer context.AfterFunc(ctx, interrupt)()

	raw, err := messages.SyscallConn()
	if err != nil {
		return fmt.Errorf("use a route netlink socket: %w", err)
	}
	buf := make([]byte, linkMessageLen)
	missed := false
	for {
		// After a loss, the kernel drops all further messages without another error, until the socket was found
		// empty. Only then does it help to update all names.
		n, err := receive(raw, buf, !missed)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			missed = true
		case errors.Is(err, unix.EAGAIN):
			level.Debug(f.logger).Log("msg", "Missed changes of interfaces, updating all names")
			if err := f.refreshAll(); err != nil {
				return err
			}
			missed = false
		case err != nil:
			return fmt.Errorf("receive link messages: %w", err)
		case !f.handle(buf[:min(n, len(buf))]):
			missed = true
		}
	}
}

// refreshAll updates the names of all known interfaces, and the names and aliases of all that exist.
func (f *linkFollower) refreshAll() error {
	for _, index := range f.names.indexes() {
		f.names.refresh(index, "")
	}

	_, err := f.conn.Send(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, unix.SizeofIfInfomsg),
	})
	if err != nil {
		return fmt.Errorf("list all interfaces: %w", err)
	}
	for m, err := range f.conn.ReceiveIter() {
		if err != nil {
			return fmt.Errorf("list all interfaces: %w", err)
		}
		f.refresh(uint16(m.Header.Type), m.Data)
	}
	return nil
}
