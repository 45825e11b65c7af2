// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command nflog_exporter counts the packets that Netfilter rules log to NFLOG groups, and serves the counts to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	_ "github.com/nflog-exporter/nflog_exporter/internal/earlysignal" // ignores SIGHUP until main handles it, and SIGPIPE
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
	"github.com/nflog-exporter/nflog_exporter/internal/memory"
	"github.com/nflog-exporter/nflog_exporter/internal/web"
)

// logGrace is how long the end waits for standard error to take the last lines.
const logGrace = time.Second / 2

func main() {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // until the end: otherwise SIGHUP would end the process
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	// The runtime prints no stack traces if the program's file has a capability, as the one in the image.
	debug.SetTraceback("single")
	os.Exit(run(ctx, hangups, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the exporter until ctx ends or it fails, writes the error to stderr, and returns the exit status. It reloads the
// configuration file on each of hangups.
func run(ctx context.Context, hangups <-chan os.Signal, args []string, stdout, stderr io.Writer) int {
	out := logging.NewQueue(stderr)
	defer out.Close(logGrace)
	err := runExporter(ctx, hangups, args, stdout, out)
	if err == nil {
		return 0
	}
	lines := []string{logging.OneLine(err.Error())}
	if mistakes, ok := errors.AsType[config.Diagnostics](err); ok {
		lines = strings.Split(mistakes.Error(), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(out, "%s: error: %s\n", config.Program, line)
	}
	return 1
}

func runExporter(ctx context.Context, hangups <-chan os.Signal, args []string, stdout io.Writer, out *logging.Queue) error {
	e, err := prepareUntil(ctx, args, stdout, out)
	if err != nil || e == nil {
		return err
	}
	if e.reloader != nil {
		go reloadOn(hangups, e.reloader.Reload)
		if interval := e.options.ReloadInterval; interval > 0 {
			go e.reloader.Watch(ctx, interval)
		}
	}
	if e.watcher != nil {
		go e.watcher.Run(ctx)
	}
	level.Info(e.logger).Log("msg", "Starting "+config.Program, "version", version.Info())
	level.Info(e.logger).Log("msg", "Build context", "build_context", version.BuildContext())
	memory.Limit(e.logger)
	s := web.Serve(e.listeners, e.handler, e.options.Web, e.logger, e.slogger)
	return s.Run(ctx, e.collector.Run, e.logger)
}

// An exporter is all that the command line asks for, set up.
type exporter struct {
	options   *config.Options
	logger    log.Logger
	slogger   *slog.Logger
	collector *collector.Collector
	reloader  *config.Reloader         // nil without a configuration file
	watcher   *config.NamespaceWatcher // nil without a pattern of network namespaces
	handler   http.Handler
	listeners []net.Listener
}

// prepareUntil is prepare, but returns nil as soon as ctx ends: a signal must end the exporter also while it waits for a
// file, a name server or standard output.
func prepareUntil(ctx context.Context, args []string, stdout io.Writer, out *logging.Queue) (*exporter, error) {
	type result struct {
		e   *exporter
		err error
	}
	prepared := make(chan result, 1)
	go func() {
		e, err := prepare(args, stdout, out)
		prepared <- result{e, err}
	}()
	select {
	case <-ctx.Done():
		return nil, nil
	case r := <-prepared:
		return r.e, r.err
	}
}

// prepare sets everything up before it reads packets or serves anything, so that a mistake of the user is found first. It
// returns nil if the command line only asks for output.
func prepare(args []string, stdout io.Writer, out *logging.Queue) (*exporter, error) {
	o, done, err := config.Parse(args, stdout)
	if err != nil || done {
		return nil, err
	}
	e := &exporter{options: o}
	e.logger, e.slogger = logging.New(out, o.LogLevel, o.LogFormat)
	logging.RedirectStandard(level.Warn(e.logger))
	if e.collector, err = newCollector(o, stdout, e.logger); err != nil {
		return nil, err
	}
	if o.ConfigCheck {
		fmt.Fprintln(stdout, "flags and configuration file are valid")
		return nil, nil
	}
	own := prometheus.NewRegistry()
	if err := own.Register(out.Dropped()); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	p := web.Program{Settings: o.Settings()}
	if o.ConfigFile != "" {
		if e.reloader, err = config.NewReloader(o, e.collector.Reload, own, e.logger); err != nil {
			return nil, err
		}
		p.Reload, p.LastReload = e.reloader.ReloadForClient, e.reloader.State
	}
	if e.watcher, err = config.NewNamespaceWatcher(o, e.collector.SetGroups, own, e.logger); err != nil {
		return nil, err
	}
	if e.handler, err = web.NewHandler(e.collector, own, p, o.Web, e.logger); err != nil {
		return nil, fmt.Errorf("set up metrics: %w", err)
	}
	if e.listeners, err = web.Listen(o.Web); err != nil {
		return nil, err
	}
	return e, nil
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

// reloadOn reloads on each signal until the channel is closed.
func reloadOn(signals <-chan os.Signal, reload func() error) {
	for range signals {
		_ = reload() // the Reloader logs the error
	}
}
