// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

// Limits on clients that are slow or gone. A scrape is answered well
// within the longest scrape timeout that makes sense; connections stay
// open from one scrape to the next.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = time.Minute
	idleTimeout       = 5 * time.Minute
)

// Listen opens the sockets that the flags ask for.
func Listen(flags *toolkit.FlagConfig) ([]net.Listener, error) {
	if *flags.WebSystemdSocket {
		return systemdListeners()
	}

	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listenTCP(address)
		if err != nil {
			closeAll(listeners)
			return nil, &config.FlagError{Flag: "web.listen-address", Value: address, Err: fmt.Errorf("must be HOST:PORT or :PORT of this host, not in use: %w", err)}
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listenTCP(address string) (net.Listener, error) {
	if address == "" {
		// To package net it means any port of any address.
		return nil, errors.New("empty address")
	}
	if strings.HasPrefix(address, "vsock://") {
		return nil, errors.New("vsock is not supported")
	}
	return net.Listen("tcp", address)
}

func systemdListeners() ([]net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("--web.systemd-socket: %w", err)
	}
	if len(listeners) == 0 {
		return nil, errors.New("--web.systemd-socket: systemd passed no socket: the service must be started by a socket unit")
	}
	if slices.Contains(listeners, nil) {
		closeAll(listeners)
		return nil, errors.New("--web.systemd-socket: systemd passed a socket that can't be listened on: the socket unit must have only ListenStream=")
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		if l != nil {
			l.Close()
		}
	}
}

// Servers serves one handler on several listeners.
type Servers struct {
	all    []*http.Server
	Failed chan error // what ended the serving of a listener
}

// Serve starts to serve handler on the listeners. Each has a server of its
// own, since the toolkit changes the server that it is given while it sets it
// up: several at a time would race, and wrap the handler several times over.
func Serve(listeners []net.Listener, handler http.Handler, flags *toolkit.FlagConfig, logger log.Logger, slogger *slog.Logger) *Servers {
	s := &Servers{Failed: make(chan error, len(listeners))}
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
			s.Failed <- toolkit.Serve(l, server, flags, slogger)
		}()
	}
	return s
}

// Shutdown closes the listeners and waits for the requests under way. Those
// that outlast ctx are cut off, and Shutdown returns false.
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
