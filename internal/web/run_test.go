// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
	"github.com/nflog-exporter/nflog_exporter/test/pipenet"
)

// A slowSource has no groups, and a metric that takes a while.
type slowSource struct{ gather func() }

// Gather implements prometheus.TransactionalGatherer.
func (s slowSource) Gather() ([]*dto.MetricFamily, func(), error) {
	s.gather()
	return nil, func() {}, nil
}

// GatherPieces implements Source.
func (s slowSource) GatherPieces() (pieces exposition.Pieces, done func(), err error) {
	s.gather()
	return func(func(*dto.MetricFamily) bool) {}, func() {}, nil
}

func (s slowSource) Groups() []collector.GroupState { return nil }

func (s slowSource) Status() collector.Status { return collector.Status{} }

func (s slowSource) Healthy() error { return nil }

func (s slowSource) TopSources() ([]collector.GroupSources, bool) { return nil, false }

// serveSource serves the metrics of a source on the listeners.
func serveSource(t *testing.T, gather func(), logger log.Logger, slogger *slog.Logger, listeners ...net.Listener) *Servers {
	t.Helper()
	o, _, err := config.Parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := NewHandler(slowSource{gather}, prometheus.NewRegistry(), Program{}, o.Web, logger)
	if err != nil {
		t.Fatal(err)
	}
	return Serve(listeners, handler, o.Web, logger, slogger)
}

// scrapeOnce requests metrics over a connection of its own, reads the answer, and returns the error that cut it off, if any.
func scrapeOnce(t *testing.T, l *pipenet.Listener) error {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return l.Dial() }}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", http.NoBody)
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

func TestRunStops(t *testing.T) {
	tests := []struct {
		name   string
		gather time.Duration // what a scrape takes that begins a second before the signal
		drain  time.Duration // what readers take to drain
		wait   time.Duration // until Run returns
		cutOff bool          // whether the scrape fails
		log    string
	}{
		{name: "idle", gather: time.Second / 2, wait: 0, log: "msg=Stopped\n"},
		{name: "scrape ends", gather: 3 * time.Second, wait: 2 * time.Second, log: "msg=Stopped\n"},
		{name: "readers drain", gather: time.Second / 2, drain: 2 * time.Second, wait: 2 * time.Second, log: "msg=Stopped\n"},
		{name: "readers hang", gather: time.Second / 2, drain: time.Hour, wait: stopGrace, log: "msg=\"Stopped before all groups were drained and unbound\"\n"},
		{name: "scrape hangs", gather: time.Hour, wait: scrapeGrace, cutOff: true, log: "msg=\"Cut off connections that were still busy\"\n"},
		{name: "all hang", gather: time.Hour, drain: time.Hour, wait: stopGrace, cutOff: true, log: "msg=\"Stopped before all groups were drained and unbound\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(2 * time.Hour) // until what hangs has ended, too

				var out bytes.Buffer
				logger, slogger := logging.New(&out, "info", "logfmt")
				l := pipenet.Listen()
				s := serveSource(t, func() { time.Sleep(tt.gather) }, logger, slogger, l)
				scraped := make(chan error, 1)
				go func() { scraped <- scrapeOnce(t, l) }()

				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err := s.Run(ctx, func(ctx context.Context) {
					<-ctx.Done()
					time.Sleep(tt.drain)
				}, logger)
				if err != nil {
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

func TestRunReportsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, slogger := logging.New(io.Discard, "info", "logfmt")
		good, bad := pipenet.Listen(), pipenet.Listen()
		s := serveSource(t, func() {}, logger, slogger, good, bad)
		bad.Close()

		drained := false
		err := s.Run(t.Context(), func(ctx context.Context) {
			<-ctx.Done()
			drained = true
		}, logger)
		if !errors.Is(err, pipenet.ErrClosed) {
			t.Errorf("unexpected error: got %v, want %v", err, pipenet.ErrClosed)
		}
		if !drained {
			t.Error("readers were not stopped")
		}
	})
}
