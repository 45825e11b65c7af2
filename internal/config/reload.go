// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// Reloadable is what is needed of a collector.Collector to reload it.
type Reloadable interface {
	Reload(groups []collector.GroupConfig, rules []prefix.Rule) error
}

// A Reloader applies the configuration file anew. A file that can't be used leaves the last one in force.
type Reloader struct {
	options   *Options
	collector Reloadable
	logger    log.Logger

	mu         sync.Mutex // for one at a time
	successful prometheus.Gauge
	succeeded  prometheus.Gauge
}

// NewReloader returns a reloader of a collector to which the file was applied just now. Its metrics are
// registered.
func NewReloader(o *Options, c Reloadable, reg prometheus.Registerer, logger log.Logger) (*Reloader, error) {
	r := &Reloader{
		options: o, collector: c, logger: logger,
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_successful",
			Help: "Whether the configuration file could be applied when that was tried last.",
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_success_timestamp_seconds",
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

func (r *Reloader) applied() {
	r.successful.Set(1)
	r.succeeded.SetToCurrentTime()
}

// Reload applies the file.
func (r *Reloader) Reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.apply()
	if err != nil {
		r.successful.Set(0)
		level.Error(r.logger).Log("msg", "The configuration file can't be used. The last one stays in force.", "err", err)
		return err
	}
	r.applied()
	level.Info(r.logger).Log("msg", "Configuration file applied", "file", r.options.ConfigFile)
	return nil
}

func (r *Reloader) apply() error {
	file, warnings, err := r.options.Load()
	LogWarnings(r.logger, warnings)
	if err != nil {
		return err
	}
	return r.collector.Reload(r.options.groupConfigs(file.Groups), file.Rules)
}

func LogWarnings(logger log.Logger, warnings []Diagnostic) {
	for _, w := range warnings {
		level.Warn(logger).Log("msg", "Configuration file: "+w.Text, "file", w.Path, "line", w.Line, "column", w.Column)
	}
}
