// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command nflog_exporter counts the packets that Netfilter rules log to NFLOG
// groups, and serves the counts to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

const (
	program = "nflog_exporter"

	// The exporter ends within five seconds of a signal: scrapes under way
	// have scrapeGrace to finish, and readers stopGrace to drain.
	scrapeGrace = 3 * time.Second
	stopGrace   = 4 * time.Second
)

// reader is what is needed of a collector.Collector.
type reader interface {
	prometheus.TransactionalGatherer
	Run(ctx context.Context)
	Groups() []collector.GroupState
}

func main() {
	// The runtime leaves stack traces out of a program whose file has a capability, as the image's has.
	debug.SetTraceback("single")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Whoever sends a second signal does not want to wait.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process around it: it returns the exit
// status, once ctx has ended or where it can't start.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := export(ctx, args, stdout, stderr)
	if err == nil {
		return 0
	}
	lines := []string{oneLine(err.Error())}
	if m := mistakes(nil); errors.As(err, &m) {
		lines = strings.Split(m.Error(), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(stderr, "%s: error: %s\n", program, line)
	}
	return 1
}

// oneLine joins the lines of s, as some parsers' errors have several.
func oneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		parts = append(parts, strings.TrimSpace(line))
	}
	return strings.Join(parts, " ")
}

// export sets all up and, once nothing of what the user gave can fail any
// more, runs it.
func export(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, done, err := parseFlags(args, stdout)
	if err != nil || done {
		return err
	}
	logger, slogger := logging.New(stderr, o.logLevel, o.logFormat)

	file, warnings, err := o.loadConfig()
	if o.configCheck {
		for _, w := range warnings {
			fmt.Fprintf(stdout, "%v (warning)\n", w)
		}
	} else {
		logWarnings(logger, warnings)
	}
	if err != nil {
		return err
	}
	c, err := collector.New(o.collectorConfig(file, logger))
	if err != nil {
		return fmt.Errorf("set up collector: %w", err)
	}
	if o.configCheck {
		fmt.Fprintln(stdout, "flags and configuration file can be used")
		return nil
	}
	own := prometheus.NewRegistry()
	reload, stopReload, err := setUpReload(o, c, own, logger)
	if err != nil {
		return err
	}
	defer stopReload()
	handler, err := newHandler(c, own, reload, o.web, logger)
	if err != nil {
		return fmt.Errorf("set up metrics: %w", err)
	}
	listeners, err := listen(o.web.toolkit)
	if err != nil {
		return err
	}

	level.Info(logger).Log("msg", "Starting "+program, "version", version.Info())
	level.Info(logger).Log("msg", "Build context", "build_context", version.BuildContext())
	s := serve(listeners, handler, o.web.toolkit, logger, slogger)
	return readAndServe(ctx, c, s, logger)
}

// setUpReload lets the configuration file, if there is one, be applied anew on SIGHUP and by the handler. Without
// one, SIGHUP is ignored, and there is no handler.
func setUpReload(o *options, c reloadable, own *prometheus.Registry, logger log.Logger) (handler http.Handler, stop func(), err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	stop = func() {
		signal.Stop(signals)
		close(signals)
	}
	if o.configFile == "" {
		return nil, stop, nil
	}
	r, err := newReloader(o, c, own, logger)
	if err != nil {
		stop()
		return nil, nil, err
	}
	go r.onSignal(signals)
	return r, stop, nil
}

// readAndServe lets r read while s serves, until ctx ends or s fails, and
// then stops both.
func readAndServe(ctx context.Context, r reader, s *servers, logger log.Logger) error {
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		r.Run(reading)
	}()

	var err error
	select {
	case <-ctx.Done():
		level.Info(logger).Log("msg", "Stopping on a signal")
	case err = <-s.failed:
		err = fmt.Errorf("serve: %w", err)
	}
	stopReading()
	stop(s, drained, logger)
	return err
}

// stop waits for the end of scrapes and readers. What has not ended after
// stopGrace ends with the process.
func stop(s *servers, drained <-chan struct{}, logger log.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()

	scrapes, cancelScrapes := context.WithTimeout(ctx, scrapeGrace)
	defer cancelScrapes()
	if !s.shutdown(scrapes) {
		level.Warn(logger).Log("msg", "Cut off connections that were still busy")
	}

	select {
	case <-drained:
		level.Info(logger).Log("msg", "Stopped")
	case <-ctx.Done():
		level.Warn(logger).Log("msg", "Stopped before all groups were drained and unbound")
	}
}
