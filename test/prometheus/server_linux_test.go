// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// scrapeInterval is short, for short tests, but long enough that packets sent right
// after a scrape are counted before the next one.
const scrapeInterval = time.Second

// features are optional features of Prometheus, and settings of the scrape job.
type features struct {
	native  bool           // native histograms: --enable-feature=native-histograms
	created bool           // creation times: --enable-feature=created-timestamp-zero-ingestion
	honor   bool           // honor_labels
	target  model.LabelSet // labels of the target
}

// A server is a Prometheus that scrapes the exporter.
type server struct {
	db       *tsdb.DB
	engine   *promql.Engine
	registry *prometheus.Registry
	warnings warnings
}

// startServer runs a Prometheus until the end of the test. It connects to the exporter
// by dial.
func startServer(t *testing.T, f features, dial func(context.Context) (net.Conn, error)) *server {
	t.Helper()
	s := &server{registry: prometheus.NewRegistry()}
	logger := level.NewFilter(log.NewLogfmtLogger(&s.warnings), level.AllowWarn())

	opts := tsdb.DefaultOptions()
	opts.EnableNativeHistograms = f.native
	var err error
	s.db, err = tsdb.Open(t.TempDir(), logger, s.registry, opts, nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.db.Close()) })
	s.engine = promql.NewEngine(promql.EngineOpts{Logger: logger, MaxSamples: 1e6, Timeout: patience})

	manager, err := scrape.NewManager(&scrape.Options{
		DiscoveryReloadInterval:             model.Duration(time.Millisecond),
		EnableNativeHistogramsIngestion:     f.native,
		EnableCreatedTimestampZeroIngestion: f.created,
		HTTPClientOptions: []promconfig.HTTPClientOption{
			promconfig.WithDialContextFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }),
			promconfig.WithKeepAlivesDisabled(),
		},
	}, logger, nil, s.db, s.registry)
	must(t, err)
	cfg, err := config.Load(f.config(), false, logger)
	must(t, err)
	must(t, manager.ApplyConfig(cfg))
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- map[string][]*targetgroup.Group{
		"nflog": {{Targets: []model.LabelSet{{model.AddressLabel: address}}, Labels: f.target}},
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := manager.Run(targets); err != nil {
			t.Errorf("failed to scrape: %v", err)
		}
	})
	t.Cleanup(func() {
		manager.Stop()
		running.Wait()
	})
	return s
}

// config returns the configuration of a Prometheus.
func (f features) config() string {
	// As --enable-feature does: only the protobuf format has creation times and native
	// histograms. With that format, Prometheus drops the classic buckets of a histogram
	// that also has native ones, unless scrape_classic_histograms is set. It does so
	// even without support for native histograms.
	protocols := config.DefaultScrapeProtocols
	if f.native || f.created {
		protocols = config.DefaultProtoFirstScrapeProtocols
	}
	var b strings.Builder
	fmt.Fprintf(&b, "global: {scrape_interval: %v, scrape_timeout: %v}\n", scrapeInterval, scrapeInterval)
	fmt.Fprintf(&b, "scrape_configs: [{job_name: nflog, honor_labels: %t, scrape_classic_histograms: true, scrape_protocols: [", f.honor)
	for _, protocol := range protocols {
		fmt.Fprintf(&b, "%s, ", protocol)
	}
	b.WriteString("]}]\n")
	return b.String()
}

// query returns the result of an instant query at a time. The test fails if there are
// warnings.
func (s *server) query(t *testing.T, at int64, format string, args ...any) parser.Value {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	q, err := s.engine.NewInstantQuery(t.Context(), s.db, nil, text, timestamp.Time(at))
	must(t, err)
	t.Cleanup(q.Close) // not before: it recycles the result
	result := q.Exec(t.Context())
	if result.Err != nil || len(result.Warnings) > 0 {
		t.Errorf("%s: %v %v", text, result.Err, result.Warnings)
	}
	return result.Value
}

// vector returns the result of an instant query by the value of a label.
func (s *server) vector(t *testing.T, at int64, label, format string, args ...any) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	for _, sample := range s.query(t, at, format, args...).(promql.Vector) {
		values[sample.Metric.Get(label)] = sample.F
	}
	return values
}

// scalar returns the only value of an instant query's result, or 0 if the result is
// empty.
func (s *server) scalar(t *testing.T, at int64, format string, args ...any) float64 {
	t.Helper()
	vector := s.query(t, at, format, args...).(promql.Vector)
	switch len(vector) {
	case 0:
		return 0
	case 1:
		return vector[0].F
	}
	t.Fatalf("%d values of "+format, append([]any{len(vector)}, args...)...)
	return 0
}

// scrapes returns the times of all scrapes. They are the times of the samples.
func (s *server) scrapes(t *testing.T) []int64 {
	t.Helper()
	var times []int64
	for _, series := range s.query(t, now(), "up[1h]").(promql.Matrix) {
		for _, point := range series.Floats {
			times = append(times, point.T)
		}
	}
	return times
}

// awaitScrapes waits until n more scrapes have begun and ended, and returns the time
// of the last.
func (s *server) awaitScrapes(t *testing.T, n int) (at int64) {
	t.Helper()
	began := now()
	kerneltest.Eventually(t, patience, func() error {
		later := 0
		for _, at = range s.scrapes(t) {
			if at > began {
				later++
			}
		}
		if later < n {
			return fmt.Errorf("%d scrapes, want %d", later, n)
		}
		return nil
	})
	return at
}

// now returns the current time in milliseconds, as Prometheus stores times.
func now() int64 { return timestamp.FromTime(time.Now()) }

// duration formats the time from one scrape to another for a query. The parser rounds
// down to milliseconds, after floating-point arithmetic: the added half millisecond
// keeps it from losing a whole one.
func duration(from, to int64) string {
	return fmt.Sprintf("%d.%03d5", (to-from)/1000, (to-from)%1000)
}

// warnings keeps the log of a Prometheus.
type warnings struct {
	mu    sync.Mutex
	lines []string
}

// Write implements [io.Writer].
func (w *warnings) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, string(line))
	return len(line), nil
}

// all returns the logged lines.
func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines
}
