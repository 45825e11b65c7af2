// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"context"
	"encoding/binary"
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
	// linkBuffer is the receive buffer for messages about links. It holds a few hundred.
	linkBuffer = 1 << 20

	// linkMessageLen is room for the longest of them.
	linkMessageLen = 64 << 10

	// How long to wait before a socket that failed is opened again, first and at most.
	minReopenDelay = time.Second
	maxReopenDelay = time.Minute
)

// Open returns the interfaces of a network namespace, given by a descriptor or by 0 for
// the one of the process, and follows their changes until it is closed. The descriptor may be
// closed once Open has returned.
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
	return f.interfaces, nil
}

// A linkFollower keeps interfaces up to date by the messages of rtnetlink's group RTNLGRP_LINK.
type linkFollower struct {
	interfaces *Names
	logger     log.Logger
	netns      int // a descriptor of its own, or 0
	buffer     int

	// conn serves to ask. The messages come by a socket of their own, see subscribe, so that
	// they do not get between question and answer.
	conn *netlink.Conn
	raw  syscall.RawConn
}

// newLinkFollower opens what it takes to ask for names.
func newLinkFollower(netns int, logger log.Logger) (*linkFollower, error) {
	f := &linkFollower{logger: logger, buffer: linkBuffer}
	f.interfaces = newNames(f.query)

	if netns != 0 {
		// Kept to open sockets by. 3 leaves the standard streams and 0 alone.
		fd, err := unix.FcntlInt(uintptr(netns), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, fmt.Errorf("duplicating the descriptor of the network namespace: %w", err)
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
		return nil, fmt.Errorf("using a route netlink socket: %w", err)
	}
	// Kernels before 4.15 do not take the query on such a socket. Better to say so now than to
	// know no name later.
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
		return nil, fmt.Errorf("opening a route netlink socket: %w", err)
	}
	return conn, nil
}

// query asks the kernel for the name of an interface. Unlike RTM_GETLINK, this ioctl does not wait
// for the lock that all changes of interfaces take: a reader of packets must not stand still
// while a node tears down a hundred containers.
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
		return "", fmt.Errorf("asking for the name of interface %d: %w", index, err)
	case errors.Is(errno, unix.ENODEV):
		return "", errNoInterface
	case errno != nil:
		return "", fmt.Errorf("asking for the name of interface %d: %w", index, errno)
	}
	return request.Name(), nil
}

// subscribe opens a socket for messages about links and brings all names up to date, in this
// order, so that no change in between is missed.
func (f *linkFollower) subscribe() (*netlink.Conn, error) {
	messages, err := f.dial()
	if err != nil {
		return nil, err
	}
	if err := messages.SetReadBuffer(f.buffer); err != nil {
		_ = messages.Close()
		return nil, fmt.Errorf("setting the receive buffer for link messages: %w", err)
	}
	if err := messages.JoinGroup(unix.RTNLGRP_LINK); err != nil {
		_ = messages.Close()
		return nil, fmt.Errorf("subscribing to link messages: %w", err)
	}
	if err := f.refreshAll(); err != nil {
		_ = messages.Close()
		return nil, err
	}
	return messages, nil
}

// start follows changes until the interfaces are closed.
func (f *linkFollower) start(messages *netlink.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f.run(ctx, messages) })
	f.interfaces.unfollow = sync.OnceFunc(func() {
		cancel()
		_ = f.conn.Close() // ends a dump
		wg.Wait()
		f.close()
	})
}

// run follows changes until the context ends, and opens a new socket when one fails.
func (f *linkFollower) run(ctx context.Context, messages *netlink.Conn) {
	delay := minReopenDelay
	for {
		opened := time.Now()
		err := f.follow(ctx, messages)
		if ctx.Err() != nil {
			return
		}
		level.Warn(f.logger).Log("msg", "Changes of interface names can't be followed, trying again", "err", err)
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
		level.Info(f.logger).Log("msg", "Changes of interface names are followed again")
	}
}

// follow handles messages until their socket fails or the context ends, and closes it.
func (f *linkFollower) follow(ctx context.Context, messages *netlink.Conn) error {
	interrupt := func() { _ = messages.Close() }
	defer interrupt()
	defer context.AfterFunc(ctx, interrupt)()

	raw, err := messages.SyscallConn()
	if err != nil {
		return fmt.Errorf("using a route netlink socket: %w", err)
	}
	buf := make([]byte, linkMessageLen)
	missed := false
	for {
		// From a loss on, the kernel drops every further message, without another error, until
		// the socket has been found empty. Only then does it help to look at all interfaces.
		n, err := receive(raw, buf, !missed)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			missed = true
		case errors.Is(err, unix.EAGAIN):
			level.Debug(f.logger).Log("msg", "Missed changes of interfaces, looking at all")
			if err := f.refreshAll(); err != nil {
				return err
			}
			missed = false
		case err != nil:
			return fmt.Errorf("receiving link messages: %w", err)
		case !f.handle(buf[:min(n, len(buf))]):
			missed = true
		}
	}
}

// receive reads one datagram and returns its length, which may be more than buf has room for. If
// there is none, it waits for one or returns [unix.EAGAIN]. The netlink package's own Receive can't
// tell that a socket is empty.
func receive(raw syscall.RawConn, buf []byte, wait bool) (n int, err error) {
	rawErr := raw.Read(func(fd uintptr) bool {
		for {
			n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	if rawErr != nil {
		return 0, rawErr
	}
	return n, err
}

// handle looks at the interfaces that a datagram is about. It reports whether it could be read.
func (f *linkFollower) handle(datagram []byte) bool {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return false
	}
	for _, m := range messages {
		f.refresh(m.Data)
	}
	return true
}

// refreshAll looks at every interface that is known and at every other that there is.
func (f *linkFollower) refreshAll() error {
	for _, index := range f.interfaces.indexes() {
		f.interfaces.refresh(index, "")
	}

	_, err := f.conn.Send(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, unix.SizeofIfInfomsg),
	})
	if err != nil {
		return fmt.Errorf("asking for all interfaces: %w", err)
	}
	for m, err := range f.conn.ReceiveIter() {
		if err != nil {
			return fmt.Errorf("asking for all interfaces: %w", err)
		}
		f.refresh(m.Data)
	}
	return nil
}

// refresh looks at the interface that a link message is about, a struct ifinfomsg and attributes.
// Of a deleted one, the message tells the name.
func (f *linkFollower) refresh(message []byte) {
	if len(message) < unix.SizeofIfInfomsg {
		return
	}
	index := binary.NativeEndian.Uint32(message[4:])
	f.interfaces.refresh(index, linkName(message[unix.SizeofIfInfomsg:]))
}

// linkName returns the name among the attributes of a link, or "".
func linkName(attributes []byte) string {
	ad, err := netlink.NewAttributeDecoder(attributes)
	if err != nil {
		return ""
	}
	for ad.Next() {
		if ad.Type() == unix.IFLA_IFNAME {
			return ad.String()
		}
	}
	return ""
}
