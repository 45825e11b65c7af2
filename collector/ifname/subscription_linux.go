// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// messageLen is more than the longest datagram of rtnetlink's messages about changes.
	messageLen = 64 << 10

	// Shortest and longest wait before a socket that failed is opened again.
	minReopenDelay = time.Second
	maxReopenDelay = time.Minute
)

// A subscription follows changes by the messages of some multicast groups of rtnetlink. They have a socket of their own.
type subscription struct {
	subject string // what changes, for the log
	groups  []uint32
	dial    func() (*netlink.Conn, error)
	buffer  int // size of the receive buffer
	logger  log.Logger

	// onDatagram handles a datagram of messages. It reports whether nothing more is to be done: if not, updateAll is called
	// once the socket is empty, also for all datagrams until then.
	onDatagram func(datagram []byte) bool

	// updateAll asks the kernel for everything.
	updateAll func() error
}

// subscribe opens a socket for messages, and then updates everything, so that it misses no change in between.
func (s *subscription) subscribe() (*netlink.Conn, error) {
	messages, err := s.dial()
	if err != nil {
		return nil, err
	}
	if err := messages.SetReadBuffer(s.buffer); err != nil {
		_ = messages.Close()
		return nil, fmt.Errorf("set the receive buffer for changes of %s: %w", s.subject, err)
	}
	for _, group := range s.groups {
		if err := messages.JoinGroup(group); err != nil {
			_ = messages.Close()
			return nil, fmt.Errorf("subscribe to changes of %s: %w", s.subject, err)
		}
	}
	if err := s.updateAll(); err != nil {
		_ = messages.Close()
		return nil, err
	}
	return messages, nil
}

// run follows changes until the context ends, by what subscribe returned. It opens a new socket when one fails.
func (s *subscription) run(ctx context.Context, messages *netlink.Conn, err error) {
	delay := minReopenDelay
	for {
		opened := time.Now()
		if err == nil {
			err = s.follow(ctx, messages)
		}
		if ctx.Err() != nil {
			return
		}
		level.Warn(s.logger).Log("msg", "Following changes of "+s.subject+" failed. Trying again.", "err", err)
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
			if messages, err = s.subscribe(); err == nil {
				break
			}
		}
		level.Info(s.logger).Log("msg", "Following changes of "+s.subject+" again")
	}
}

// follow handles messages until their socket fails or the context ends. It closes the socket.
func (s *subscription) follow(ctx context.Context, messages *netlink.Conn) error {
	interrupt := func() { _ = messages.Close() }
	defer interrupt()
	defer context.AfterFunc(ctx, interrupt)()

	raw, err := messages.SyscallConn()
	if err != nil {
		return fmt.Errorf("use a route netlink socket: %w", err)
	}
	buf := make([]byte, messageLen)
	missed := false
	for {
		// After a loss, the kernel drops all further messages without another error, until the socket was found
		// empty. Only then does it help to update everything.
		n, err := receive(raw, buf, !missed)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			missed = true
		case errors.Is(err, unix.EAGAIN):
			level.Debug(s.logger).Log("msg", "Updating all "+s.subject)
			if err := s.updateAll(); err != nil {
				return err
			}
			missed = false
		case err != nil:
			return fmt.Errorf("receive changes of %s: %w", s.subject, err)
		case !s.onDatagram(buf[:min(n, len(buf))]):
			missed = true
		}
	}
}
