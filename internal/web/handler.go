// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package web serves metrics, state and a landing page over HTTP.
package web

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
	reloadPath  = "/-/reload"
)

// Reader is what is needed of a collector.Collector.
type Reader interface {
	prometheus.TransactionalGatherer
	Groups() []collector.GroupState
}

// NewHandler returns the handler of all that the exporter serves: the metrics of r and of the exporter's
// own registry among it. There may be nothing to reload.
func NewHandler(r Reader, own *prometheus.Registry, reload func() error, o config.Web, logger log.Logger) (http.Handler, error) {
	metrics, err := newMetricsHandler(r, own, o, logger)
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthyPath, serveHealthy)
	mux.HandleFunc("GET "+readyPath, readyHandler(r))
	if o.EnableLifecycle && reload != nil {
		mux.HandleFunc("POST "+reloadPath, reloadHandler(reload))
	}
	if o.TelemetryPath != "/" {
		mux.HandleFunc("GET /{$}", landingHandler(r, o.TelemetryPath))
	}
	pattern := "GET " + o.TelemetryPath
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}" // that path alone, not all below it
	}
	mux.Handle(pattern, metrics)

	return mux, nil
}

func newMetricsHandler(r Reader, own *prometheus.Registry, o config.Web, logger log.Logger) (http.Handler, error) {
	if err := own.Register(versioncollector.NewCollector(config.Program)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	opts := promhttp.HandlerOpts{
		ErrorLog:          logging.NewHTTPErrorLog(level.Error(logger)),
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}
	gatherer := prometheus.NewMultiTRegistry(prometheus.ToTransactionalGatherer(own), r)
	if o.DisableExporterMetrics {
		return limited(o.MaxRequests, buffered(promhttp.HandlerForTransactional(gatherer, opts))), nil
	}

	own.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	opts.Registry = own
	metrics := limited(o.MaxRequests, buffered(promhttp.HandlerForTransactional(gatherer, opts)))
	return promhttp.InstrumentMetricHandler(own, metrics), nil
}

// reloadHandler applies the configuration file anew.
func reloadHandler(reload func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := reload(); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

func serveHealthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// readyHandler answers with the state of each group, and with 503 until every
// one has been tried. Whether a group could be bound makes no difference: a
// rollout shall not wait for another program to let go of it.
func readyHandler(r Reader) http.HandlerFunc {
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

// landingStyle lets the headings of the landing page be no larger than what they say.
const landingStyle = `
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; font-weight: normal; margin-top: 0; }
h3 { font-size: 1.1rem; margin-bottom: 0; }
`

// landingHandler makes the landing page anew for each request, since it shows
// the groups as they are.
func landingHandler(r Reader, telemetryPath string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var groups strings.Builder
		groups.WriteString("<h3>Groups</h3>\n<ul>\n")
		for _, g := range r.Groups() {
			fmt.Fprintf(&groups, "<li>%s</li>\n", html.EscapeString(describeGroup(g)))
		}
		groups.WriteString("</ul>\n")

		page, err := toolkit.NewLandingPage(toolkit.LandingConfig{
			Name:        config.Program,
			Description: config.Description,
			Version:     cmp.Or(version.Version, version.Info()), // go build alone sets none
			ExtraCSS:    landingStyle,
			Links: []toolkit.LandingLinks{
				{Address: telemetryPath, Text: "Metrics", Description: "what Prometheus reads"},
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
	return logging.OneLine(s)
}
