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

const (
	// The exporter ends within five seconds of a signal: scrapes under way
	// have scrapeGrace to finish, and readers stopGrace to drain.
	scrapeGrace = 3 * time.Second
	stopGrace   = 4 * time.Second
)

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
	lines := []string{logging.OneLine(err.Error())}
	if m := config.Diagnostics(nil); errors.As(err, &m) {
		lines = strings.Split(m.Error(), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(stderr, "%s: error: %s\n", config.Program, line)
	}
	return 1
}

// export sets all up and, once nothing of what the user gave can fail any
// more, runs it.
func export(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, done, err := config.Parse(args, stdout)
	if err != nil || done {
		return err
	}
	logger, slogger := logging.New(stderr, o.LogLevel, o.LogFormat)

	file, warnings, err := o.Load()
	if o.ConfigCheck {
		for _, w := range warnings {
			fmt.Fprintf(stdout, "%v (warning)\n", w)
		}
	} else {
		config.LogWarnings(logger, warnings)
	}
	if err != nil {
		return err
	}
	c, err := collector.New(o.CollectorConfig(file, logger))
	if err != nil {
		return fmt.Errorf("set up collector: %w", err)
	}
	if o.ConfigCheck {
		fmt.Fprintln(stdout, "flags and configuration file can be used")
		return nil
	}
	own := prometheus.NewRegistry()
	reload, stopReload, err := setUpReload(o, c, own, logger)
	if err != nil {
		return err
	}
	defer stopReload()
	handler, err := web.NewHandler(c, own, reload, o.Web, logger)
	if err != nil {
		return fmt.Errorf("set up metrics: %w", err)
	}
	listeners, err := web.Listen(o.Web.Toolkit)
	if err != nil {
		return err
	}

	level.Info(logger).Log("msg", "Starting "+config.Program, "version", version.Info())
	level.Info(logger).Log("msg", "Build context", "build_context", version.BuildContext())
	s := web.Serve(listeners, handler, o.Web.Toolkit, logger, slogger)
	return readAndServe(ctx, c.Run, s, logger)
}

// setUpReload lets the configuration file, if there is one, be applied anew on SIGHUP and by the handler. Without
// one, SIGHUP is ignored, and there is no handler.
func setUpReload(o *config.Options, c config.Reloadable, own *prometheus.Registry, logger log.Logger) (reload func() error, stop func(), err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	stop = func() {
		signal.Stop(signals)
		close(signals)
	}
	if o.ConfigFile == "" {
		return nil, stop, nil
	}
	r, err := config.NewReloader(o, c, own, logger)
	if err != nil {
		stop()
		return nil, nil, err
	}
	go reloadOn(signals, r.Reload)
	return r.Reload, stop, nil
}

// reloadOn reloads whenever a signal comes, until the channel is closed.
func reloadOn(signals <-chan os.Signal, reload func() error) {
	for range signals {
		_ = reload() // which logs its error
	}
}

// readAndServe lets read run while s serves, until ctx ends or s fails, and
// then stops both.
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
	case err = <-s.Failed:
		err = fmt.Errorf("serve: %w", err)
	}
	stopReading()
	stop(s, drained, logger)
	return err
}

// stop waits for the end of scrapes and readers. What has not ended after
// stopGrace ends with the process.
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
