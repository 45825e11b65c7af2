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

// ApplyFunc applies a configuration, as the method Reload of a collector.Collector does.
type ApplyFunc func(groups []collector.GroupConfig, rules []prefix.Rule) error

// A Reloader applies the configuration file again. If the file can't be used, the configuration stays as it is.
type Reloader struct {
	options *Options
	apply   ApplyFunc
	logger  log.Logger

	mu         sync.Mutex // held by Reload
	lastOK     prometheus.Gauge
	lastOKTime prometheus.Gauge
}

// NewReloader returns a Reloader for a configuration that was applied just now. It registers metrics about reloads.
func NewReloader(o *Options, apply ApplyFunc, reg prometheus.Registerer, logger log.Logger) (*Reloader, error) {
	r := &Reloader{
		options: o,
		apply:   apply,
		logger:  logger,
		lastOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_successful",
			Help: "Whether the last attempt to apply the configuration file succeeded.",
		}),
		lastOKTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_success_timestamp_seconds",
			Help: "Time when the configuration file was last applied, in seconds since 1970.",
		}),
	}
	for _, g := range []prometheus.Gauge{r.lastOK, r.lastOKTime} {
		if err := reg.Register(g); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	r.succeed()
	return r, nil
}

func (r *Reloader) succeed() {
	r.lastOK.Set(1)
	r.lastOKTime.SetToCurrentTime()
}

// Reload applies the file. It logs the result, and so its error, too. Concurrent calls run one after another.
func (r *Reloader) Reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reload(); err != nil {
		r.lastOK.Set(0)
		level.Error(r.logger).Log("msg", "The configuration file can't be used. The last one stays in force.", "err", err)
		return err
	}
	r.succeed()
	level.Info(r.logger).Log("msg", "Configuration file applied", "file", r.options.ConfigFile)
	return nil
}

func (r *Reloader) reload() error {
	c, warnings, err := r.options.Load()
	LogWarnings(r.logger, warnings)
	if err != nil {
		return err
	}
	return r.apply(c.Groups, c.PrefixRules)
}
