// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

// pipeListener is a net.Listener whose connections do not leave the process,
// so that it works where time stands still.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipeListener() *pipeListener {
	closed := make(chan struct{})
	return &pipeListener{
		conns:  make(chan net.Conn),
		closed: closed,
		close:  sync.OnceFunc(func() { close(closed) }),
	}
}

var errPipeClosed = errors.New("pipe listener closed")

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errPipeClosed
	}
}

func (l *pipeListener) Close() error {
	l.close()
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// get requests path over a connection of its own, reads the answer, and
// returns the error that cut it off, if any.
func (l *pipeListener) get(t *testing.T, path string) error {
	client, server := net.Pipe()
	defer client.Close()
	l.conns <- server

	transport := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func TestReadAndServeStops(t *testing.T) {
	tests := []struct {
		name    string
		collect time.Duration // what a scrape takes that begins a second before the signal
		drain   time.Duration // what readers take to drain
		wait    time.Duration // until readAndServe returns
		cutOff  bool          // whether the scrape fails
		log     string
	}{
		{name: "idle", collect: time.Second / 2, wait: 0, log: "msg=Stopped\n"},
		{name: "readers drain", collect: time.Second / 2, drain: 2 * time.Second, wait: 2 * time.Second, log: "msg=Stopped\n"},
		{name: "readers hang", collect: time.Second / 2, drain: time.Hour, wait: stopGrace, log: "msg=\"Stopped before all groups were drained and unbound\"\n"},
		{name: "scrape hangs", collect: time.Hour, wait: scrapeGrace, cutOff: true, log: "msg=\"Cut off connections that were still busy\"\n"},
		{name: "all hang", collect: time.Hour, drain: time.Hour, wait: stopGrace, cutOff: true, log: "msg=\"Stopped before all groups were drained and unbound\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(2 * time.Hour) // until what hangs has ended, too

				var out bytes.Buffer
				logger, slogger := logging.New(&out, "info", "logfmt")
				r := &fakeReader{
					run: func(ctx context.Context) {
						<-ctx.Done()
						time.Sleep(tt.drain)
					},
					collect: func(chan<- prometheus.Metric) { time.Sleep(tt.collect) },
				}
				o := testWebOptions()
				l := newPipeListener()
				s := serve([]net.Listener{l}, testHandler(t, r, o), o.toolkit, logger, slogger)

				scraped := make(chan error, 1)
				go func() { scraped <- l.get(t, "/metrics") }()

				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				if err := readAndServe(ctx, r, s, logger); err != nil {
					t.Errorf("unexpected error: %v", err)
				}
				if got := time.Since(start) - time.Second; got < tt.wait || got > tt.wait+time.Second/2 {
					t.Errorf("unexpected time to stop: got %v, want %v", got, tt.wait)
				}
				if err := <-scraped; (err != nil) != tt.cutOff {
					t.Errorf("unexpected end of the scrape: got %v, want cut off %v", err, tt.cutOff)
				}
				if !strings.Contains(out.String(), tt.log) {
					t.Errorf("no %q in log:\n%s", tt.log, out.String())
				}
			})
		})
	}
}

func TestReadAndServeFinishesScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		logger, slogger := logging.New(io.Discard, "info", "logfmt")
		r := &fakeReader{collect: func(chan<- prometheus.Metric) {
			cancel()
			time.Sleep(2 * time.Second)
		}}
		o := testWebOptions()
		l := newPipeListener()
		s := serve([]net.Listener{l}, testHandler(t, r, o), o.toolkit, logger, slogger)

		scraped := make(chan error, 1)
		go func() { scraped <- l.get(t, "/metrics") }()
		if err := readAndServe(ctx, r, s, logger); err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		if err := <-scraped; err != nil {
			t.Errorf("scrape under way was cut off: %v", err)
		}
	})
}

func TestReadAndServeReportsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, slogger := logging.New(io.Discard, "info", "logfmt")
		drained := false
		r := &fakeReader{run: func(ctx context.Context) {
			<-ctx.Done()
			drained = true
		}}
		o := testWebOptions()
		bad, good := newPipeListener(), newPipeListener()
		s := serve([]net.Listener{good, bad}, testHandler(t, r, o), o.toolkit, logger, slogger)

		bad.Close()
		if err := readAndServe(t.Context(), r, s, logger); !errors.Is(err, errPipeClosed) {
			t.Errorf("unexpected error: got %v, want %v", err, errPipeClosed)
		}
		if !drained {
			t.Error("readers were not stopped")
		}
	})
}

func TestOneLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "empty"},
		{name: "one", in: "a  b", want: "a  b"},
		{name: "several", in: "errors:\n  line 1\r\n\tline 2\n", want: "errors: line 1 line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := oneLine(tt.in); got != tt.want {
				t.Errorf("unexpected line: got %q, want %q", got, tt.want)
			}
		})
	}
}
