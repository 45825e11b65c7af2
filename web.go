// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
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
	reloadPath  = "/-/reload"

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
	lifecycle              bool
}

// checkConfigFile reads the file of --web.config.file, and those that it names.
func (o *webOptions) checkConfigFile() error {
	file := *o.toolkit.WebConfigFile
	if err := web.Validate(file); err != nil {
		return &flagError{flag: "web.config.file", value: file, err: fmt.Errorf("must be a valid web configuration file: %w", err)}
	}
	return nil
}

// newHandler returns the handler of all that the exporter serves: the metrics of r and of the exporter's
// own registry among it. There may be nothing to reload.
func newHandler(r reader, own *prometheus.Registry, reload http.Handler, o webOptions, logger log.Logger) (http.Handler, error) {
	metrics, err := newMetricsHandler(r, own, o, logger)
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthyPath, serveHealthy)
	mux.HandleFunc("GET "+readyPath, readyHandler(r))
	if o.lifecycle && reload != nil {
		mux.Handle("POST "+reloadPath, reload)
	}
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

func newMetricsHandler(r reader, own *prometheus.Registry, o webOptions, logger log.Logger) (http.Handler, error) {
	if err := own.Register(versioncollector.NewCollector(program)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	opts := promhttp.HandlerOpts{
		ErrorLog:          newHTTPErrorLog(level.Error(logger)),
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}
	gatherer := prometheus.NewMultiTRegistry(prometheus.ToTransactionalGatherer(own), r)
	if o.disableExporterMetrics {
		return limited(o.maxRequests, buffered(promhttp.HandlerForTransactional(gatherer, opts))), nil
	}

	own.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	opts.Registry = own
	metrics := limited(o.maxRequests, buffered(promhttp.HandlerForTransactional(gatherer, opts)))
	return promhttp.InstrumentMetricHandler(own, metrics), nil
}

// limited lets h serve so many requests at a time, any number for 0, and answers further ones with 503. A request
// counts until the client has read the answer, which takes memory as long: promhttp would have its limit end before.
func limited(most int, h http.Handler) http.Handler {
	if most == 0 {
		return h
	}
	places := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			h.ServeHTTP(w, req)
		default:
			http.Error(w, fmt.Sprintf("%d requests are being served already, try again later", most), http.StatusServiceUnavailable)
		}
	})
}

// buffered answers when h has done so: nobody else can gather while metrics are written, and a client
// that reads slowly shall not keep the others waiting.
func buffered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b := &responseBuffer{header: w.Header(), status: http.StatusOK}
		h.ServeHTTP(b, req)
		w.WriteHeader(b.status)
		w.Write(b.body.Bytes())
	})
}

// A responseBuffer is a response that is not sent yet.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *responseBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *responseBuffer) WriteHeader(status int) { b.status = status }

// Write implements http.ResponseWriter.
func (b *responseBuffer) Write(p []byte) (int, error) { return b.body.Write(p) }

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
	if g.NetNS != "" {
		s += " in " + g.NetNS
	}
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
