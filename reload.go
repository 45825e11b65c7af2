// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// reloadable is what is needed of a collector.Collector to reload it.
type reloadable interface {
	Reload(groups []collector.GroupConfig, rules []prefix.Rule) error
}

// reloader applies the configuration file anew. A file that can't be used leaves the last one in force.
type reloader struct {
	options   *options
	collector reloadable
	logger    log.Logger

	mu         sync.Mutex // for one at a time
	successful prometheus.Gauge
	succeeded  prometheus.Gauge
}

// newReloader returns a reloader of a collector to which the file was applied just now. Its metrics are
// registered.
func newReloader(o *options, c reloadable, reg prometheus.Registerer, logger log.Logger) (*reloader, error) {
	r := &reloader{
		options: o, collector: c, logger: logger,
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: program + "_config_last_reload_successful",
			Help: "Whether the configuration file could be applied when that was tried last.",
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: program + "_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration file was applied last, in seconds since 1970.",
		}),
	}
	for _, g := range []prometheus.Gauge{r.successful, r.succeeded} {
		if err := reg.Register(g); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	r.applied()
	return r, nil
}

func (r *reloader) applied() {
	r.successful.Set(1)
	r.succeeded.SetToCurrentTime()
}

// reload applies the file.
func (r *reloader) reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.apply()
	if err != nil {
		r.successful.Set(0)
		level.Error(r.logger).Log("msg", "The configuration file can't be used. The last one stays in force.", "err", err)
		return err
	}
	r.applied()
	level.Info(r.logger).Log("msg", "Configuration file applied", "file", r.options.configFile)
	return nil
}

func (r *reloader) apply() error {
	file, warnings, err := r.options.loadConfig()
	logWarnings(r.logger, warnings)
	if err != nil {
		return err
	}
	return r.collector.Reload(r.options.groupConfigs(file.Groups), file.Rules)
}

func logWarnings(logger log.Logger, warnings []remark) {
	for _, w := range warnings {
		level.Warn(logger).Log("msg", "Configuration file: "+w.text, "file", w.path, "line", w.line, "column", w.column)
	}
}

// onSignal reloads whenever a signal comes, until the channel is closed.
func (r *reloader) onSignal(signals <-chan os.Signal) {
	for range signals {
		_ = r.reload() // which logs its error
	}
}

// ServeHTTP implements http.Handler.
func (r *reloader) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := r.reload(); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintln(w, "ok")
}
