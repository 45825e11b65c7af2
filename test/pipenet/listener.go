// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package pipenet has a net.Listener whose connections stay inside the process.
//
// Such connections have no buffers, and work in the bubble of testing/synctest.
package pipenet

import (
	"errors"
	"net"
	"sync"
)

// ErrClosed is what Accept returns after Close.
var ErrClosed = errors.New("pipe listener closed")

// A Listener accepts the connections that Dial makes.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

// Listen returns a Listener.
func Listen() *Listener {
	closed := make(chan struct{})
	return &Listener{
		conns:  make(chan net.Conn),
		closed: closed,
		close:  sync.OnceFunc(func() { close(closed) }),
	}
}

// Dial returns the client's end of a connection, once Accept has returned the other end.
func (l *Listener) Dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, ErrClosed
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, ErrClosed
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.close()
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
