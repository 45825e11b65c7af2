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

// An Nflog reads a group and calls a hook with each packet. Its methods may be called from any
// goroutine, also from the hook. While a hook is registered, it has 256 KiB of memory for what it
// receives.
type Nflog struct {
	// Con is the netlink socket, on which options, buffers and deadlines may be set: its receive
	// buffer by SetReadBuffer, which Open sets to DefaultSocketBuffer, or as much of it as the
	// process may have. To receive or send on it disturbs the reading, and to close it leaves something
	// open: see Close. The end of a reading clears its read deadline.
	Con *netlink.Conn

	config Config
	logger Logger
	socket *connSocket

	mu      sync.Mutex
	closed  bool
	reading *reading // that goes on, or nil
}

// Open opens a socket for the group, which is bound only when a hook is registered.
//
// The error is [ErrUnknownFlag] or [ErrCopyMode] for such a config, and wraps [ErrPermission] or
// [ErrUnsupported] where one of them is the reason.
func Open(config *Config) (*Nflog, error) {
	if config == nil {
		config = &Config{}
	}
	if config.Flags&^maxFlags != 0 {
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

// SetOption sets an option of the socket, such as [netlink.NoENOBUFS], with which the kernel drops only the
// packets that there is no room for, and the error function is not told of it. The error is that of Con,
// but wraps [ErrClosed] after Close.
func (nflog *Nflog) SetOption(o netlink.ConnOption, enable bool) error {
	err := nflog.Con.SetOption(o, enable)
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	if err != nil && nflog.closed {
		return &netlink.OpError{Op: "set-option", Err: ErrClosed}
	}
	return err
}

// Close ends the reading, frees the group and closes the socket, at once: a hook that runs is not waited
// for. To close an Nflog again is no error.
func (nflog *Nflog) Close() error {
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	nflog.closed = true
	if nflog.reading != nil {
		nflog.reading.ended.Store(true)
	}
	nflog.socket.release()
	return nflog.Con.Close()
}

// Register is as [Nflog.RegisterWithErrorFunc] with an error function that goes on after a timeout
// and ends the reading at any other error, which it logs.
//
// Deprecated: use RegisterWithErrorFunc, which need not end at an error.
func (nflog *Nflog) Register(ctx context.Context, fn HookFunc) error {
	return nflog.RegisterWithErrorFunc(ctx, fn, func(err error) int {
		var temporary interface{ Temporary() bool }
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &temporary) && temporary.Temporary():
			return 0
		case !errors.Is(err, ErrClosed):
			nflog.logger.Errorf("could not receive packets of NFLOG group %d: %v", nflog.config.Group, err)
		}
		return 1
	})
}

// RegisterWithErrorFunc binds the group and calls fn with each of its packets from then on, in a
// goroutine of its own, and errfn with each error, until one of them returns anything but 0, the
// context is done, or Close is called. With that the group is free for others, and the goroutine ends
// as soon as fn returns; then a hook can be registered anew, unless the Nflog is closed. Packets that
// were logged by then, but not given to fn, are lost: a [Reader] can be stopped without that.
//
// The error wraps [ErrGroupHeld], [ErrPermission], [ErrUnsupported], [ErrNoConntrack] or [ErrClosed]
// where one of them is the reason, and [syscall.EBUSY] while another hook is registered: until its last
// call, and that of its errfn, have returned.
func (nflog *Nflog) RegisterWithErrorFunc(ctx context.Context, fn HookFunc, errfn ErrorFunc) error {
	r, err := nflog.bind(ctx, fn, errfn)
	if err != nil {
		return fmt.Errorf("bind NFLOG group %d: %w", nflog.config.Group, err)
	}
	stop := context.AfterFunc(ctx, r.end)
	go func() {
		defer r.finish()
		defer stop()
		r.run()
	}()
	return nil
}

// bind binds the group for a reading that begins.
func (nflog *Nflog) bind(ctx context.Context, fn HookFunc, errfn ErrorFunc) (*reading, error) {
	nflog.mu.Lock()
	defer nflog.mu.Unlock()
	switch {
	case nflog.closed:
		return nil, ErrClosed
	case nflog.reading != nil:
		return nil, fmt.Errorf("a hook is registered: %w", syscall.EBUSY)
	}
	memory, err := nflog.socket.memory()
	if err != nil {
		return nil, err
	}
	b := nflog.config.binding()
	b.batch = min(b.batch, largestBatch(memory.buffer))
	e := &exchange{transport: nflog.socket, netns: nflog.socket.netnsFD(), memory: make([]byte, receiveBuffer)}
	if err := e.bind(nflog.config.Group, b); err != nil {
		return nil, err
	}
	nflog.reading = &reading{
		nflog:   nflog,
		ctx:     ctx,
		hook:    fn,
		failed:  errfn,
		memory:  e.memory,
		early:   e.early,
		decoder: NewDecoder(nflog.config.Group),
	}
	return nflog.reading, nil
}
