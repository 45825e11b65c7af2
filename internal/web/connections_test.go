// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/pipenet"
)

// connect connects and sends the beginning of something.
func connect(t *testing.T, l *pipenet.Listener, begin string) net.Conn {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if begin != "" { // a pipe waits for a reader even of nothing
		if _, err := io.WriteString(conn, begin); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// get sends a request on a connection and reads the response.
func get(conn net.Conn, path string) (status int, err error) {
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// isClosed reports whether the exporter has closed a connection on which it sends nothing.
func isClosed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := io.Copy(io.Discard, conn)
	return err == nil
}

// TestConnectionsMakeRoom has as many clients as there may be that keep the exporter waiting, each in its way. The first ones make room
// for others, but not those for which the exporter works.
func TestConnectionsMakeRoom(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: localhost\r\n"
	ways := map[string]func(t *testing.T, l *pipenet.Listener) net.Conn{
		"nothing": func(t *testing.T, l *pipenet.Listener) net.Conn { return connect(t, l, "") },
		"unfinished header": func(t *testing.T, l *pipenet.Listener) net.Conn {
			return connect(t, l, request)
		},
		"unfinished body": func(t *testing.T, l *pipenet.Listener) net.Conn {
			return connect(t, l, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
		},
		"unread response": func(t *testing.T, l *pipenet.Listener) net.Conn { return connect(t, l, request+"\r\n") },
		"idle": func(t *testing.T, l *pipenet.Listener) net.Conn {
			conn := connect(t, l, "")
			if status, err := get(conn, "/"); status != 200 {
				t.Fatalf("unexpected response: %d, %v", status, err)
			}
			return conn
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				work := make(chan struct{})
				l := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					if req.URL.Path == "/work" {
						<-work
					}
				}))
				working := connect(t, l, "")
				result := make(chan int)
				go func() {
					status, _ := get(working, "/work")
					result <- status
				}()
				var quiet []net.Conn
				for range maxConnections - 1 {
					quiet = append(quiet, way(t, l))
					time.Sleep(time.Millisecond)
				}
				for i := range 3 {
					if status, err := get(connect(t, l, ""), "/"); status != 200 {
						t.Fatalf("unexpected response to client %d: %d, %v", i, status, err)
					}
				}
				close(work)
				if status := <-result; status != 200 {
					t.Errorf("unexpected response to the first client: %d", status)
				}
				closed := 0
				for _, conn := range quiet {
					if isClosed(conn) {
						closed++
					}
				}
				if closed != 3 {
					t.Errorf("%d connections were closed, want 3", closed)
				}
			})
		})
	}
}

// A clientConn is a connection of the client with an address.
type clientConn struct {
	net.Conn
	address string
}

func (c clientConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.address), 1024))
}

func (c clientConn) Close() error { return nil }

// TestConnectionsOfOneClient has one client with most of all connections. It makes room for others with its own, although another
// client has kept the exporter waiting for longer, unless the exporter works for all of them.
func TestConnectionsOfOneClient(t *testing.T) {
	const other = "192.0.2.1"
	crowds := map[string]func(i int) string{
		"IPv4":        func(int) string { return "192.0.2.2" },
		"mapped IPv4": func(i int) string { return []string{"192.0.2.2", "::ffff:192.0.2.2"}[i%2] },
		"IPv6":        func(i int) string { return fmt.Sprintf("2001:db8::%x", i) },
	}
	tests := []struct {
		name    string
		waited  time.Duration // for the crowd
		working bool          // for the crowd
		victim  string        // whose connection makes room; empty for nobody's
	}{
		{name: "waiting", waited: time.Second, victim: "crowd"},
		{name: "waiting for a moment", waited: quiet / 2},
		{name: "working", working: true, victim: other},
	}
	for name, crowd := range crowds {
		for _, tt := range tests {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				now := time.Now()
				c := newConnections()
				c.tryAdd(clientConn{address: other}, now.Add(-10*time.Second))
				for i := range maxConnections - 1 {
					conn := c.tryAdd(clientConn{address: crowd(i)}, now.Add(-tt.waited))
					if tt.working {
						conn.onActive()
					}
				}
				victim := ""
				if v := c.victim(now); v != nil {
					victim = "crowd"
					if v.Conn.(clientConn).address == other {
						victim = other
					}
				}
				if victim != tt.victim {
					t.Errorf("unexpected connection makes room: got %q, want %q", victim, tt.victim)
				}
			})
		}
	}
}

// TestConnectionsOfManyClients has many clients with as many connections: the one that has kept the exporter waiting for longest makes
// room. Connections that end no longer count.
func TestConnectionsOfManyClients(t *testing.T) {
	now := time.Now()
	c := newConnections()
	var all []*connection
	for i := range maxConnections {
		all = append(all, c.tryAdd(clientConn{address: fmt.Sprintf("192.0.2.%d", i%10)}, now.Add(time.Duration(i-1000)*time.Millisecond)))
	}
	if victim := c.victim(now); victim != all[0] {
		t.Errorf("another connection than the oldest makes room: %+v", victim)
	}
	for _, conn := range all {
		_ = conn.Close()
		_ = conn.Close()
	}
	if len(c.open) != 0 || len(c.byClient) != 0 {
		t.Errorf("%d connections of %d clients are left", len(c.open), len(c.byClient))
	}
}

// TestConnectionsWait has as many clients as there may be for which the exporter works. Another one waits.
func TestConnectionsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := make(chan struct{})
		var results atomic.Int32
		l := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-work }))
		for range maxConnections + 10 {
			go func() {
				conn, err := l.Dial()
				if err != nil {
					return
				}
				defer conn.Close()
				if status, _ := get(conn, "/"); status == 200 {
					results.Add(1)
				}
			}()
		}
		time.Sleep(time.Second)
		close(work)
		time.Sleep(time.Second)
		if got := results.Load(); got != maxConnections+10 {
			t.Errorf("%d clients got a response, want %d", got, maxConnections+10)
		}
	})
}

// TestConnectionWaitsForClosing closes the listener while a new connection waits for room.
func TestConnectionWaitsForClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipes := pipenet.Listen()
		l := limitListener(pipes, newConnections())
		accepted := make(chan error)
		go func() {
			for range maxConnections {
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				connectionOf(conn).onActive()
			}
			_, err := l.Accept()
			accepted <- err
		}()
		for range maxConnections + 1 {
			connect(t, pipes, "")
		}
		time.Sleep(time.Second)
		l.Close()
		if err := <-accepted; err == nil {
			t.Error("a connection was accepted beyond the limit")
		}
	})
}

// TestLongHeader sends a header that is longer than any browser's.
func TestLongHeader(t *testing.T) {
	o := testWebOptions()
	*o.Toolkit.WebListenAddresses = []string{"127.0.0.1:0"}
	address := serveTCP(t, o)
	for size, want := range map[int]int{8 << 10: 200, 64 << 10: 431} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/-/healthy", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Long", strings.Repeat("x", size))
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("header of %d bytes: unexpected status: got %d, want %d", size, res.StatusCode, want)
		}
	}
}
