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

// Limits on slow and vanished clients. A scrape is answered well within the longest sensible scrape timeout. Connections
// stay open from one scrape to the next.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = time.Minute
	idleTimeout       = 5 * time.Minute
)

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
	for _, l := range listeners {
		server := &http.Server{
			Handler:           handler,
			ErrorLog:          errorLog,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
		}
		s.all = append(s.all, server)
		go func() {
			s.failed <- toolkit.Serve(l, server, o.Toolkit, slogger)
		}()
	}
	return s
}

// Failed receives an error when a listener is no longer served.
func (s *Servers) Failed() <-chan error { return s.failed }

// Shutdown closes the listeners and waits for the requests under way. It cuts off those that outlast ctx, and returns false
// then.
func (s *Servers) Shutdown(ctx context.Context) bool {
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
