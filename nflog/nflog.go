// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/mdlayher/netlink"
)

// An Nflog reads a group and calls a hook with each packet. Its methods may be called from any goroutine,
// including the hook. While a hook is registered, an Nflog holds a receive buffer of 256 KiB.
type Nflog struct {
	// Con is the netlink socket. Use it to set options, buffers and deadlines. Open sets the socket's
	// receive buffer to DefaultSocketBuffer, or to as much as the process may have; SetReadBuffer changes
	// it. Don't send or receive on Con while a hook is registered. Don't close it: call Close, which
	// releases everything. Con's read deadline is cleared when a hook's session ends.
	Con *netlink.Conn

	config Config
	logger Logger
	socket *connSocket

	running sync.WaitGroup // goroutines of sessions

	mu      sync.Mutex
	closed  bool
	session *session // current session, or nil
}

// Open opens a socket for the group. The group is bound when a hook is registered. A nil config means the
// zero Config.
//
// The error is [ErrUnknownFlag] or [ErrCopyMode] if the config is invalid. It wraps [ErrPermission] if a
// capability is missing and [ErrUnsupported] if the kernel has no NFLOG.
func Open(config *Config) (*Nflog, error) {
	if config == nil {
		config = &Config{}
	}
	if config.Flags&^(FlagSeq|FlagGlobal|FlagConntrack) != 0 {
		return nil, ErrUnknownFlag
	}
	if config.Copymode > CopyPacket {
		return nil, ErrCopyMode
	}
	con, err := dial(config.NetNS, DefaultSocketBuffer)
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", config.Group, err)
	}
	n := &Nflog{Con: con, config: *config, logger: config.Logger}
	if n.logger == nil {
		n.logger = noLogger{}
	}
	if n.socket, err = newConnSocket(con, config.NetNS); err != nil {
		_ = con.Close()
		return nil, fmt.Errorf("open NFLOG group %d: %w", config.Group, err)
	}
	return n, nil
}

// SetOption sets an option of the socket. With [netlink.NoENOBUFS], the kernel drops only the packets that
// don't fit into the socket, and the error function gets no ENOBUFS. The error is the error of Con; after
// Close it wraps [ErrClosed].
func (nflog *Nflog) SetOption(o netlink.ConnOption, enable bool) error {
	err := nflog.Con.SetOption(o, enable)
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	if err != nil && nflog.closed {
		return &netlink.OpError{Op: "set-option", Err: ErrClosed}
	}
	return err
}

// Close releases the group and closes the socket. The hook is not called again, and Close waits for the last calls
// of the hook and the error function: neither runs any more when Close has returned.
//
// A hook or an error function may call Close too, also that of another Nflog. Close does not wait then. So
// a hook must not wait for a goroutine that calls Close.
//
// Closing an Nflog again is not an error.
func (nflog *Nflog) Close() error {
	err := nflog.close()
	if !calledByHook() {
		nflog.running.Wait()
	}
	return err
}

func (nflog *Nflog) close() error {
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	nflog.closed = true
	if nflog.session != nil {
		nflog.session.closeLocked()
	}
	nflog.socket.release()
	return nflog.Con.Close()
}

// Register is like [Nflog.RegisterWithErrorFunc] with an error function that continues after a timeout
// or a temporary error. It logs any other error and releases the group.
//
// Deprecated: use RegisterWithErrorFunc, which can continue after any error.
func (nflog *Nflog) Register(ctx context.Context, fn HookFunc) error {
	return nflog.RegisterWithErrorFunc(ctx, fn, func(err error) int {
		temporary, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), ok && temporary.Temporary():
			return 0
		case !errors.Is(err, ErrClosed):
			nflog.logger.Errorf("failed to receive packets of NFLOG group %d: %v", nflog.config.Group, err)
		}
		return 1
	})
}

// RegisterWithErrorFunc binds the group and starts a goroutine that calls fn with each packet and errfn
// with each error. It stops when fn or errfn returns anything but 0, when the context is done, or when
// Close is called. The group is released at once, and the goroutine ends as soon as fn returns. Another
// hook can be registered then, unless the Nflog is closed. Packets that were logged but not yet passed to
// fn are lost. A [Reader] can stop without loss.
//
// The error wraps [ErrGroupHeld], [ErrPermission], [ErrUnsupported], [ErrNoConntrack] or [ErrClosed] if
// one of them is the reason. It wraps the kernel's errno, which is [syscall.EPERM] for the first two. It wraps
// [syscall.EBUSY] while another hook is registered, that is until the last calls of that hook and of its error
// function have returned.
func (nflog *Nflog) RegisterWithErrorFunc(ctx context.Context, fn HookFunc, errfn ErrorFunc) error {
	if err := nflog.begin(ctx, fn, errfn); err != nil {
		return fmt.Errorf("bind NFLOG group %d: %w", nflog.config.Group, err)
	}
	return nil
}

// begin binds the group and starts a session.
func (nflog *Nflog) begin(ctx context.Context, fn HookFunc, errfn ErrorFunc) error {
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	switch {
	case nflog.closed:
		return ErrClosed
	case nflog.session != nil:
		return fmt.Errorf("another hook is registered: %w", syscall.EBUSY)
	}
	m, err := nflog.socket.memInfo()
	if err != nil {
		return err
	}
	g := nflog.config.groupConfig()
	g.batchBuffer = min(g.batchBuffer, largestBatch(m.buffer))
	c := &configurator{transport: nflog.socket, netns: nflog.socket.netnsFD(), buf: make([]byte, receiveBuffer)}
	if err := c.bind(nflog.config.Group, g); err != nil {
		return err
	}
	nflog.session = &session{
		nflog:   nflog,
		ctx:     ctx,
		hook:    fn,
		errfn:   errfn,
		buf:     c.buf,
		pending: c.pending,
		decoder: NewDecoder(nflog.config.Group),
	}
	nflog.running.Add(1)
	go nflog.session.serve()
	return nil
}
