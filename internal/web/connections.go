// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxConnections is the number of connections at a time, on all listeners.
	maxConnections = 256

	// maxKept is how many of them may be kept for the next request if others need the room.
	maxKept = maxConnections / 2

	// maxClosing is how many connections may be about to close beside them: net/http waits half a second before it closes one
	// with a request that it refuses.
	maxClosing = maxConnections

	// quiet is how long the exporter waits for a client at least before the client must make room, and quietReading how long
	// it waits for one that reads metrics, also from the kernel when all is sent. Those have a limit of their own.
	quiet        = 100 * time.Millisecond
	quietReading = time.Second

	// unreadInput is how long a client is not waited for if what it has sent is not read yet.
	unreadInput = time.Second

	// The buffers in the kernel, which doubles their sizes. They count as memory of the container.
	sendBuffer    = 64 << 10
	receiveBuffer = 16 << 10
)

// connections limits the number of connections. At the limit, a new one closes one that keeps the exporter waiting: for the rest of
// a request, or to read a response. Of these it is the one that has done so for longest. If most wait for the next request, it is the
// one of them that has had the fewest so far. So clients that do nothing can't lock out others. A client that has most of all
// connections makes room with its own.
type connections struct {
	mu       sync.Mutex // guards what follows, and fields of the connections
	open     map[*connection]struct{}
	byClient map[netip.Prefix]int // how many of the open ones each client has
	closing  int                  // evicted, but the server has not closed them yet
}

func newConnections() *connections {
	return &connections{open: make(map[*connection]struct{}), byClient: make(map[netip.Prefix]int)}
}

// add adds a connection as soon as there is room. It fails when the listener is closed.
func (c *connections) add(conn net.Conn, closed <-chan struct{}) (net.Conn, error) {
	for {
		if added := c.tryAdd(conn, time.Now()); added != nil {
			return added, nil
		}
		select {
		case <-closed:
			_ = conn.Close()
			return nil, net.ErrClosed
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (c *connections) tryAdd(conn net.Conn, now time.Time) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= maxConnections {
		victim := c.victim(now)
		if victim == nil || c.closing >= maxClosing {
			return nil
		}
		c.evict(victim)
	}
	added := &connection{Conn: conn, all: c, client: clientOf(conn), began: now, clientSince: now}
	c.open[added] = struct{}{}
	c.byClient[added.client]++
	return added
}

// remove takes note that a connection no longer counts. The caller holds mu.
func (c *connections) remove(conn *connection) {
	if _, ok := c.open[conn]; !ok {
		return
	}
	delete(c.open, conn)
	c.byClient[conn.client]--
	if c.byClient[conn.client] == 0 {
		delete(c.byClient, conn.client)
	}
}

// victim returns the connection that has to make room, or nil if there is none now. The caller holds mu.
func (c *connections) victim(now time.Time) *connection {
	for client, n := range c.byClient {
		if n > maxConnections/2 && client.IsValid() {
			if victim, waits := c.victimOf(client, now); waits {
				return victim
			}
		}
	}
	victim, _ := c.victimOf(netip.Prefix{}, now)
	return victim
}

// victimOf is victim among the connections of one client, or of all for the zero client. It reports whether the exporter waits for
// any of them, be it not long enough yet.
func (c *connections) victimOf(client netip.Prefix, now time.Time) (victim *connection, waits bool) {
	var kept, others *connection
	n := 0
	for conn := range c.open {
		if client.IsValid() && conn.client != client {
			continue
		}
		since := conn.waitingSince()
		waits = waits || !since.IsZero()
		switch {
		case since.IsZero() || now.Sub(since) < quiet || conn.reading && now.Sub(since) < quietReading:
		case conn.kept():
			n++
			if kept == nil || conn.requests < kept.requests || conn.requests == kept.requests && since.Before(kept.waitingSince()) {
				kept = conn
			}
		case others != nil && !since.Before(others.waitingSince()):
		case now.Sub(conn.began) < unreadInput && hasInput(conn.Conn):
			conn.clientSince = now
		default:
			others = conn
		}
	}
	if n > maxKept || others == nil {
		return kept, waits
	}
	return others, waits
}

// evict makes reads and writes of a connection fail. The server closes it then. The caller holds mu.
func (c *connections) evict(conn *connection) {
	c.remove(conn)
	c.closing++
	conn.evicted = true
	conn.reset()
	_ = conn.Conn.Close()
}

// A connection knows whether the exporter waits for its client.
type connection struct {
	net.Conn
	all    *connections
	client netip.Prefix

	// Guarded by all.mu.
	began       time.Time
	requests    int       // so far
	clientSince time.Time // since when it is the client's turn to send, zero while the exporter works for it
	writeSince  time.Time // when the write under way began, zero without one
	idle        bool      // between requests
	reading     bool      // metrics, since the last request
	evicted     bool
	closed      bool
}

// waitingSince returns since when the exporter waits for the client, or zero. The caller holds all.mu.
func (c *connection) waitingSince() time.Time {
	if !c.writeSince.IsZero() {
		return c.writeSince
	}
	return c.clientSince
}

// kept reports whether the connection waits for a request that is not the first. The caller holds all.mu.
func (c *connection) kept() bool { return c.requests > 0 && c.idle && c.writeSince.IsZero() }

// Write implements net.Conn.
func (c *connection) Write(p []byte) (int, error) {
	c.setWriteSince(time.Now())
	n, err := c.Conn.Write(p)
	c.setWriteSince(time.Time{})
	if err != nil {
		c.reset()
	}
	return n, err
}

func (c *connection) setWriteSince(t time.Time) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.writeSince = t
}

// onActive takes note of a request, from the end of its header on.
func (c *connection) onActive() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.requests++
	c.idle, c.reading, c.clientSince = false, false, time.Time{}
}

// onIdle takes note of the end of a response.
func (c *connection) onIdle() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.idle, c.clientSince = true, time.Now()
}

// onBody takes note that the request has a body, which the client must send before it gets a response.
func (c *connection) onBody() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.clientSince = time.Now()
}

// onReading takes note that the client gets metrics.
func (c *connection) onReading() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.reading = true
}

// reset has Close drop what the client has not read, which would keep memory of the kernel.
func (c *connection) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.all.mu.Lock()
	if !c.closed && c.evicted {
		c.all.closing--
	}
	c.closed = true
	c.all.remove(c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// clientOf returns the addresses that count as one client: an IPv4 address, or 64 bits of an IPv6 address, as hosts have such a network
// for themselves. It returns the zero value if the connection is not from a network.
func clientOf(conn net.Conn) netip.Prefix {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	address := tcp.AddrPort().Addr().Unmap()
	client, _ := address.Prefix(min(address.BitLen(), 64))
	return client
}
