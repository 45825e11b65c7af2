// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package web serves the metrics, a page that says how the exporter is, and what health checks ask over HTTP.
package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
	reloadPath  = "/-/reload"
)

// A Source has the metrics and the state of groups. A collector.Collector is one.
type Source interface {
	prometheus.TransactionalGatherer
	GatherPieces() (pieces exposition.Pieces, done func(), err error)
	Groups() []collector.GroupState
	Status() collector.Status
	Healthy() error
	topSourcer
}

// A Program is what the pages show and do beside what the source has.
type Program struct {
	Reload     func() error              // applies the configuration file again; nil without a file
	LastReload func() config.ReloadState // nil without a file
	Settings   []config.Setting
}

// NewHandler returns the handler of all paths. It serves the metrics of the source, and those of own, where it registers
// metrics about the exporter itself.
func NewHandler(s Source, own *prometheus.Registry, p Program, o config.Web, logger log.Logger) (http.Handler, error) {
	metrics, sending, err := newMetricsHandler(s, own, o, logger)
	if err != nil {
		return nil, err
	}
	page := newPage(s, p, o.TelemetryPath)

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthyPath, healthyHandler(s))
	mux.HandleFunc("GET "+readyPath, readyHandler(s))
	if o.EnableLifecycle && p.Reload != nil {
		mux.HandleFunc("POST "+reloadPath, reloadHandler(p.Reload))
	}
	mux.Handle("GET "+config.StatusPath, page.jsonHandler(sending))
	if o.TelemetryPath != "/" {
		mux.Handle("GET /{$}", page.handler(sending))
	}
	newTopPage(s).register(mux, sending)
	pattern := "GET " + o.TelemetryPath
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}" // not the paths below it
	}
	mux.Handle(pattern, metrics)

	return secured(mux), nil
}

// newMetricsHandler returns the handler of metrics, and what sends its answers, within limits.
func newMetricsHandler(s Source, own *prometheus.Registry, o config.Web, logger log.Logger) (http.Handler, *sending, error) {
	if err := own.Register(versioncollector.NewCollector(config.Program)); err != nil {
		return nil, nil, fmt.Errorf("register metrics: %w", err)
	}
	opts := promhttp.HandlerOpts{
		ErrorLog:          logging.NewHTTPErrorLog(level.Error(logger)),
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}
	if o.DisableExporterMetrics {
		sending := newSending(newAnswersOf(s, own, opts), o.MaxRequests)
		return sending, sending, nil
	}

	own.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	opts.Registry = own
	sending := newSending(newAnswersOf(s, own, opts), o.MaxRequests)
	return promhttp.InstrumentMetricHandler(own, sending), sending, nil
}
