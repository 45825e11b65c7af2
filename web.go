// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"html"
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
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"

	// Limits on clients that are slow or gone. A scrape is answered well
	// within the longest scrape timeout that makes sense; connections stay
	// open from one scrape to the next.
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 5 * time.Minute
)

// webOptions is what the command line says of serving.
type webOptions struct {
	toolkit                *web.FlagConfig
	telemetryPath          string
	disableExporterMetrics bool
	maxRequests            int
}

// checkConfigFile reads the file of --web.config.file, and those that it names.
func (o *webOptions) checkConfigFile() error {
	file := *o.toolkit.WebConfigFile
	if err := web.Validate(file); err != nil {
		return &flagError{flag: "web.config.file", value: file, err: fmt.Errorf("must be a valid web configuration file: %w", err)}
	}
	return nil
}

// newHandler returns the handler of all that the exporter serves.
func newHandler(r reader, o webOptions, logger log.Logger) (http.Handler, error) {
	metrics, err := newMetricsHandler(r, o, logger)
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthyPath, serveHealthy)
	mux.HandleFunc("GET "+readyPath, readyHandler(r))
	if o.telemetryPath != "/" {
		mux.HandleFunc("GET /{$}", landingHandler(r, o.telemetryPath))
	}
	pattern := "GET " + o.telemetryPath
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}" // that path alone, not all below it
	}
	mux.Handle(pattern, metrics)

	return mux, nil
}

func newMetricsHandler(r reader, o webOptions, logger log.Logger) (http.Handler, error) {
	subject := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{versioncollector.NewCollector(program), r} {
		if err := subject.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	opts := promhttp.HandlerOpts{
		ErrorLog:            newHTTPErrorLog(level.Error(logger)),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: o.maxRequests,
		EnableOpenMetrics:   true,
	}
	if o.disableExporterMetrics {
		return promhttp.HandlerFor(subject, opts), nil
	}

	own := prometheus.NewRegistry()
	own.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	opts.Registry = own
	return promhttp.InstrumentMetricHandler(own, promhttp.HandlerFor(prometheus.Gatherers{own, subject}, opts)), nil
}

func serveHealthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// readyHandler answers with the state of each group, and with 503 until every
// one has been tried. Whether a group could be bound makes no difference: a
// rollout shall not wait for another program to let go of it.
func readyHandler(r reader) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		groups := r.Groups()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if slices.ContainsFunc(groups, func(g collector.GroupState) bool { return !g.Tried }) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		for _, g := range groups {
			fmt.Fprintln(w, describeGroup(g))
		}
	}
}

// landingHandler makes the landing page anew for each request, since it shows
// the groups as they are.
func landingHandler(r reader, telemetryPath string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var groups strings.Builder
		groups.WriteString("<h3>Groups</h3>\n<ul>\n")
		for _, g := range r.Groups() {
			fmt.Fprintf(&groups, "<li>%s</li>\n", html.EscapeString(describeGroup(g)))
		}
		groups.WriteString("</ul>\n")

		page, err := web.NewLandingPage(web.LandingConfig{
			Name:        program,
			Description: description,
			Version:     version.Info(),
			Links: []web.LandingLinks{
				{Address: telemetryPath, Text: "Metrics"},
				{Address: healthyPath, Text: "Health", Description: "whether the exporter runs"},
				{Address: readyPath, Text: "Readiness", Description: "whether every group has been tried"},
			},
			ExtraHTML: groups.String(),
			Profiling: "false",
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		page.ServeHTTP(w, req)
	}
}

// describeGroup says in a line which group is read, and in what state it is.
func describeGroup(g collector.GroupState) string {
	s := fmt.Sprintf("group %d", g.Group)
	switch {
	case !g.Tried:
		s += ": not tried yet"
	case g.Bound:
		s += ": bound since " + g.Since.UTC().Format(time.RFC3339)
	default:
		s += ": not bound: " + g.Reason
	}
	return oneLine(s)
}

// listen opens the sockets that the flags ask for.
func listen(flags *web.FlagConfig) ([]net.Listener, error) {
	if *flags.WebSystemdSocket {
		return systemdListeners()
	}

	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listenTCP(address)
		if err != nil {
			closeAll(listeners)
			return nil, &flagError{flag: "web.listen-address", value: address, err: fmt.Errorf("must be HOST:PORT or :PORT of this host, not in use: %w", err)}
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

// servers serves one handler on several listeners.
type servers struct {
	all    []*http.Server
	failed chan error // what ended the serving of a listener
}

// serve starts to serve handler on the listeners. Each has a server of its
// own, since the toolkit changes the server that it is given while it sets it
// up: several at a time would race, and wrap the handler several times over.
func serve(listeners []net.Listener, handler http.Handler, flags *web.FlagConfig, logger log.Logger, slogger *slog.Logger) *servers {
	s := &servers{failed: make(chan error, len(listeners))}
	errorLog := newHTTPErrorLog(level.Warn(logger))
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
			s.failed <- web.Serve(l, server, flags, slogger)
		}()
	}
	return s
}

// shutdown closes the listeners and waits for the requests under way. Those
// that outlast ctx are cut off, and shutdown returns false.
func (s *servers) shutdown(ctx context.Context) bool {
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
