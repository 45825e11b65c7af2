// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// repeatInterval is the least time between two log lines about reloads with the same file and the same result, if clients
// ask for them.
const repeatInterval = 10 * time.Second

// ApplyFunc applies a configuration, as the method Reload of a collector.Collector does.
type ApplyFunc func(groups []collector.GroupConfig, rules []prefix.Rule, networks []network.Network) error

// A Reloader applies the configuration file again. If the file can't be used, the configuration stays as it is.
type Reloader struct {
	options *Options
	apply   ApplyFunc
	logger  log.Logger

	mu   sync.Mutex // guards next and its field log
	next *attempt   // has not begun yet, nil if nobody waits for one

	stateMu sync.Mutex // guards state
	state   ReloadState

	running    chan struct{} // has an element while an attempt runs; guards what follows
	lastOK     prometheus.Gauge
	lastOKTime prometheus.Gauge
	hasFile    bool       // whether the file had something when it was last applied
	tried      fileStates // what the last attempt read
	logged     outcome
	loggedTime time.Time
}

// An attempt is one reload, which several callers may share.
type attempt struct {
	log  bool          // log the result in any case
	done chan struct{} // closed at the end
	err  error         // valid then
}

// An outcome is what a log line tells about a reload.
type outcome struct {
	file [sha256.Size]byte // hash, zero if the file was not read
	err  string
}

// NewReloader returns a Reloader for the configuration that o has loaded and that was applied just now. It registers metrics
// about reloads.
func NewReloader(o *Options, apply ApplyFunc, reg prometheus.Registerer, logger log.Logger) (*Reloader, error) {
	r := &Reloader{
		options: o,
		apply:   apply,
		logger:  logger,
		running: make(chan struct{}, 1),
		hasFile: o.hasFile,
		tried:   o.loaded,
		lastOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_successful",
			Help: "Whether the last attempt to apply the configuration file succeeded.",
		}),
		lastOKTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_config_last_reload_success_timestamp_seconds",
			Unit: "seconds",
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

// A ReloadState is what became of the last attempt to apply the configuration file.
type ReloadState struct {
	File    string
	Err     error     // of the last attempt, nil if it succeeded
	Applied time.Time // when the file was last applied
	Tried   time.Time // when the last attempt ended
}

// State returns the state.
func (r *Reloader) State() ReloadState {
	r.stateMu.Lock()
	defer r.stateMu.Unlock()
	return r.state
}

func (r *Reloader) succeed() {
	now := time.Now()
	r.lastOK.Set(1)
	r.lastOKTime.Set(float64(now.UnixNano()) / 1e9)
	r.stateMu.Lock()
	defer r.stateMu.Unlock()
	r.state = ReloadState{File: r.options.ConfigFile, Applied: now, Tried: now}
}

func (r *Reloader) fail(err error) {
	r.lastOK.Set(0)
	r.stateMu.Lock()
	defer r.stateMu.Unlock()
	r.state.Err, r.state.Tried = err, time.Now()
}

// Reload applies the file. It logs the result, and so its error, too.
//
// One reload runs at a time. Calls that come meanwhile share the next one.
func (r *Reloader) Reload() error { return r.join(true) }

// ReloadForClient is Reload for a client that nobody may have authenticated. It logs the same result of the same file at
// most once in 10 seconds.
func (r *Reloader) ReloadForClient() error { return r.join(false) }

// join waits for the next attempt, and runs it if no other caller does.
func (r *Reloader) join(log bool) error {
	a, mine := r.nextAttempt(log)
	if !mine {
		<-a.done
		return a.err
	}
	r.running <- struct{}{}
	defer func() { <-r.running }()
	log = r.begin(a)
	a.err = r.run(log)
	close(a.done)
	return a.err
}

// nextAttempt returns the attempt that has not begun yet, and whether the caller must run it.
func (r *Reloader) nextAttempt(log bool) (a *attempt, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &attempt{done: make(chan struct{})}
		mine = true
	}
	r.next.log = r.next.log || log
	return r.next, mine
}

// begin lets no further caller share the attempt: the file may change after it was read. It returns whether to log the
// result in any case.
func (r *Reloader) begin(a *attempt) (log bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = nil
	return a.log
}

func (r *Reloader) run(log bool) error {
	r.tried = make(fileStates)
	data, err := r.options.readFile(r.tried)
	var f file
	var warnings []Diagnostic
	if err == nil {
		f, warnings, err = r.options.parse(data, r.tried)
	}
	if err == nil && f.Empty && r.hasFile {
		err = Diagnostics{{Path: r.options.ConfigFile, Line: 1, Column: 1, Text: "must not be empty where it was not before: write groups: [] if nothing is to be configured"}}
	}
	if err == nil {
		err = r.options.applyGroups(f.Groups, func(groups []collector.GroupConfig) error { return r.apply(groups, f.Rules, f.Networks) })
	}
	if err == nil {
		r.succeed()
		r.hasFile = !f.Empty
	} else {
		r.fail(err)
	}
	if repeated := r.isRepeated(data, err); log || !repeated {
		r.logResult(warnings, err)
	}
	return err
}

// isRepeated reports whether the log has this result already, from a short time ago.
func (r *Reloader) isRepeated(data []byte, err error) bool {
	var o outcome
	if data != nil {
		o.file = sha256.Sum256(data)
	}
	if err != nil {
		o.err = err.Error()
	}
	now := time.Now()
	if o == r.logged && now.Sub(r.loggedTime) < repeatInterval {
		return true
	}
	r.logged, r.loggedTime = o, now
	return false
}

func (r *Reloader) logResult(warnings []Diagnostic, err error) {
	LogWarnings(r.logger, warnings)
	if err != nil {
		level.Error(r.logger).Log("msg", "The configuration file can't be used. The last one stays in force.", "err", err)
		return
	}
	level.Info(r.logger).Log("msg", "Configuration file applied", "file", r.options.ConfigFile)
}
