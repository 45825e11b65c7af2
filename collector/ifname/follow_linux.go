// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/go-kit/log"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// linkBuffer is the size of the receive buffer for link messages. It holds a few hundred.
const linkBuffer = 1 << 20

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
	subscription // to link messages

	names *Names
	netns int // a descriptor of its own, or 0

	// conn is the socket for requests. Link messages have their own socket, see subscription, so that they do not come
	// between a request and its answer.
	conn *netlink.Conn
	raw  syscall.RawConn
}

// newLinkFollower opens the socket for requests.
func newLinkFollower(netns int, logger log.Logger) (*linkFollower, error) {
	f := &linkFollower{}
	f.names = newNames(f.query)
	f.subscription = subscription{
		subject: "interfaces", groups: []uint32{unix.RTNLGRP_LINK}, dial: f.dial, onDatagram: f.handle, updateAll: f.refreshAll,
		buffer: linkBuffer, logger: logger,
	}

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

// start follows changes until the Names are closed: of links by these messages, and of addresses once it is asked for.
func (f *linkFollower) start(messages *netlink.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f.run(ctx, messages, nil) })

	var mu sync.Mutex // guards against an Add to wg while Wait runs
	f.names.followAddresses = sync.OnceFunc(func() {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			f.startAddresses(ctx, &wg)
		}
	})
	f.names.unfollow = sync.OnceFunc(func() {
		mu.Lock()
		cancel()
		mu.Unlock()
		_ = f.conn.Close() // ends a dump
		wg.Wait()
		f.close()
	})
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
