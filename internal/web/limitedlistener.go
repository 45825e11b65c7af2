// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connectionOf returns the connection that net/http passes to its hooks.
func connectionOf(conn net.Conn) *connection {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.(*connection)
}

// onState is the hook ConnState of servers.
func onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		connectionOf(conn).onActive()
	case http.StateIdle:
		connectionOf(conn).onIdle()
	}
}

// A limitedListener is a listener with limited connections.
type limitedListener struct {
	net.Listener
	connections *connections
	closed      chan struct{}
	close       func()
}

func limitListener(l net.Listener, c *connections) net.Listener {
	closed := make(chan struct{})
	return &limitedListener{Listener: l, connections: c, closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(receiveBuffer)
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	return l.connections.add(conn, l.closed)
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	l.close()
	return l.Listener.Close()
}
