// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command nflog_exporter counts the packets that Netfilter rules log to NFLOG groups, and serves the counts to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
	"github.com/nflog-exporter/nflog_exporter/internal/web"
)

// The exporter ends within five seconds of a signal.
const (
	scrapeGrace = 3 * time.Second // for scrapes under way to finish
	stopGrace   = 4 * time.Second // for these and for readers to drain
)

func main() {
	// The runtime prints no stack traces if the program's file has a capability, as the one in the image.
	debug.SetTraceback("single")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the exporter until ctx ends or it fails, writes the error to stderr, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := runExporter(ctx, args, stdout, stderr)
	if err == nil {
		return 0
	}
	lines := []string{logging.OneLine(err.Error())}
	if mistakes, ok := errors.AsType[config.Diagnostics](err); ok {
		lines = strings.Split(mistakes.Error(), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(stderr, "%s: error: %s\n", config.Program, line)
	}
	return 1
}

// runExporter sets everything up before it reads or serves anything, so that a mistake of the user is found first.
func runExporter(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, done, err := config.Parse(args, stdout)
	if err != nil || done {
		return err
	}
	logger, slogger := logging.New(stderr, o.LogLevel, o.LogFormat)
	c, err := newCollector(o, stdout, logger)
	if err != nil {
		return err
	}
	if o.ConfigCheck {
		fmt.Fprintln(stdout, "flags and configuration file are valid")
		return nil
	}
	own := prometheus.NewRegistry()
	reload, stopReload, err := setUpReload(o, c.Reload, own, logger)
	if err != nil {
		return err
	}
	defer stopReload()
	handler, err := web.NewHandler(c, own, reload, o.Web, logger)
	if err != nil {
		return fmt.Errorf("set up metrics: %w", err)
	}
	listeners, err := web.Listen(o.Web)
	if err != nil {
		return err
	}

	level.Info(logger).Log("msg", "Starting "+config.Program, "version", version.Info())
	level.Info(logger).Log("msg", "Build context", "build_context", version.BuildContext())
	s := web.Serve(listeners, handler, o.Web, logger, slogger)
	return readAndServe(ctx, c.Run, s, logger)
}

// newCollector reads the configuration file. Warnings about it and about flags go to stdout if the user asked for a check, else
// to the log.
func newCollector(o *config.Options, stdout io.Writer, logger log.Logger) (*collector.Collector, error) {
	c, warnings, err := o.Load()
	warnings = append(o.Warnings(), warnings...)
	if o.ConfigCheck {
		for _, w := range warnings {
			fmt.Fprintln(stdout, w)
		}
	} else {
		config.LogWarnings(logger, warnings)
	}
	if err != nil {
		return nil, err
	}
	c.Logger = logger
	col, err := collector.New(c)
	if err != nil {
		return nil, fmt.Errorf("set up collector: %w", err)
	}
	tried, err := o.Try(c)
	for _, line := range tried {
		fmt.Fprintln(stdout, line)
	}
	return col, err
}

// setUpReload returns the function that applies the configuration file again, and has SIGHUP call it. Without a file, the
// function is nil and SIGHUP is ignored.
func setUpReload(o *config.Options, apply config.ApplyFunc, own *prometheus.Registry, logger log.Logger) (reload func() error, stop func(), err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	stop = func() {
		signal.Stop(signals)
		close(signals)
	}
	if o.ConfigFile == "" {
		return nil, stop, nil
	}
	r, err := config.NewReloader(o, apply, own, logger)
	if err != nil {
		stop()
		return nil, nil, err
	}
	go reloadOn(signals, r.Reload)
	return r.Reload, stop, nil
}

// reloadOn reloads on each signal until the channel is closed.
func reloadOn(signals <-chan os.Signal, reload func() error) {
	for range signals {
		_ = reload() // the Reloader logs the error
	}
}

// readAndServe calls read while s serves, until ctx ends or s fails. Then it stops both.
func readAndServe(ctx context.Context, read func(context.Context), s *web.Servers, logger log.Logger) error {
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		read(reading)
	}()

	var err error
	select {
	case <-ctx.Done():
		level.Info(logger).Log("msg", "Stopping on a signal")
	case err = <-s.Failed():
		err = fmt.Errorf("serve: %w", err)
	}
	stopReading()
	stop(s, drained, logger)
	return err
}

// stop waits until scrapes have finished and readers have drained, but no longer than stopGrace.
func stop(s *web.Servers, drained <-chan struct{}, logger log.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()

	scrapes, cancelScrapes := context.WithTimeout(ctx, scrapeGrace)
	defer cancelScrapes()
	if !s.Shutdown(scrapes) {
		level.Warn(logger).Log("msg", "Cut off connections that were still busy")
	}

	select {
	case <-drained:
		level.Info(logger).Log("msg", "Stopped")
	case <-ctx.Done():
		level.Warn(logger).Log("msg", "Stopped before all groups were drained and unbound")
	}
}
