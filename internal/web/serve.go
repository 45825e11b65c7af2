// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

// Limits on clients. A scrape is answered well within the longest sensible scrape timeout. Connections stay open from one scrape
// to the next, unless others need the room.
const (
	maxHeader         = 16 << 10
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = answerTimeout
	idleTimeout       = 5 * time.Minute
)

// limitsHTTP2 returns limits on connections of HTTP/2, which is served with TLS. The frame size and the stream's buffer are the
// least of the protocol. Prometheus sends one request at a time.
func limitsHTTP2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          8,
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerConnection: 64 << 10,
		MaxReceiveBufferPerStream:     16 << 10,
		WriteByteTimeout:              stallTimeout,
	}
}

// Servers serve one handler on several listeners.
type Servers struct {
	all    []*http.Server
	failed chan error
}

// Serve starts to serve the handler on the listeners.
//
// Each listener has a server of its own, because the toolkit changes the server that it gets: several calls at a time would
// race, and wrap the handler several times.
func Serve(listeners []net.Listener, handler http.Handler, o config.Web, logger log.Logger, slogger *slog.Logger) *Servers {
	s := &Servers{failed: make(chan error, len(listeners))}
	errorLog := logging.NewHTTPErrorLog(level.Warn(logger))
	connections := newConnections()
	for _, l := range listeners {
		server := &http.Server{
			Handler:           handler,
			ErrorLog:          errorLog,
			MaxHeaderBytes:    maxHeader,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			HTTP2:             limitsHTTP2(),
			ConnState:         onState,
			ConnContext:       withConnection,
		}
		server.BaseContext = func(net.Listener) context.Context {
			// The toolkit has put its handler before ours by now, but no request is served yet.
			server.Handler = bodiesAreClients(server.Handler)
			return context.Background()
		}
		s.all = append(s.all, server)
		go func() {
			s.failed <- toolkit.Serve(limitListener(l, connections), server, o.Toolkit, slogger)
		}()
	}
	return s
}

type connectionKey struct{}

// withConnection is the hook ConnContext of servers.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, connectionOf(conn))
}

// bodiesAreClients says that it is the client's turn when a request has a body. No handler reads one, but net/http waits for its
// end before it responds. HTTP/2 does not.
func bodiesAreClients(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if conn, ok := req.Context().Value(connectionKey{}).(*connection); ok && req.ContentLength != 0 && req.ProtoMajor == 1 {
			conn.onBody()
		}
		h.ServeHTTP(w, req)
	})
}

// shutdown closes the listeners and waits for the requests under way. It cuts off those that outlast ctx, and returns false
// then.
func (s *Servers) shutdown(ctx context.Context) bool {
	var wg sync.WaitGroup
	var cutOff atomic.Bool
	for _, server := range s.all {
		wg.Go(func() {
			if server.Shutdown(ctx) != nil {
				cutOff.Store(true)
				server.Close()
			}
		})
	}
	wg.Wait()
	return !cutOff.Load()
}
