// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/procnet"
)

const (
	// pollInterval is the time between two looks at a reader that should
	// become idle.
	pollInterval = 100 * time.Millisecond
	// idleCPU is the CPU time that an idle reader may use in pollInterval.
	idleCPU = time.Millisecond
	// idleTimeout bounds each wait for an idle reader. The kernel holds a batch
	// for a second at most, and a slow reader has a full buffer to read.
	idleTimeout = 30 * time.Second
	// scrapeTimeout bounds the request for a reader's metrics.
	scrapeTimeout = 20 * time.Second
)

// bench measures readers under the same load.
type bench struct {
	load      load
	floodCPU  int
	readerCPU int
}

// measure runs r under the load, in a network namespace of its own.
func (b *bench) measure(ctx context.Context, r reader) (m measurement, err error) {
	bed, err := newTestbed(b.load)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, bed.ns.Close()) }()
	c, err := startChild(bed.ns, b.readerCPU, r.command)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()

	if err := c.awaitIdle(ctx); err != nil {
		return m, fmt.Errorf("before the flood: %w", err)
	}
	before, err := cpuTime(c.pid())
	if err != nil {
		return m, err
	}
	if m.flood, err = bed.flood(ctx, b.floodCPU); err != nil {
		return m, err
	}
	if err := c.awaitIdle(ctx); err != nil {
		return m, fmt.Errorf("after the flood: %w", err)
	}
	after, err := cpuTime(c.pid())
	if err != nil {
		return m, err
	}
	m.cpu = after - before
	if m.peak, err = peakMemory(c.pid()); err != nil {
		return m, err
	}
	if m.logged, err = bed.logged(); err != nil {
		return m, err
	}

	if r.scraped {
		m.counted, err = scrape(ctx, bed.ns)
		return m, err
	}
	if err := c.stop(); err != nil {
		return m, err
	}
	if c.err != nil {
		return m, c.failure()
	}
	m.counted, err = parseCount(c.stdout.String())
	return m, err
}

// awaitIdle waits until the process has bound the group and has counted every
// packet that was logged: none is left in the kernel's batch or in the socket,
// and the process uses no CPU.
func (c *child) awaitIdle(ctx context.Context) error {
	timeout := time.NewTimer(idleTimeout)
	defer timeout.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()

	var last activity
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.done:
			return c.failure()
		case <-timeout.C:
			return fmt.Errorf("%s is not idle after %v (group %d bound: %t, packets batched: %d, bytes queued: %d)",
				c.name, idleTimeout, group, last.group.Bound, last.group.Batched, last.group.Queued)
		case <-tick.C:
		}
		now, err := c.activity()
		if err != nil {
			// While a process ends, parts of its /proc directory are missing. The way
			// it ended says more than that error.
			select {
			case <-c.done:
				return c.failure()
			case <-time.After(stopTimeout):
				return err
			}
		}
		if now.cpu-last.cpu < idleCPU && now.drained() && last.drained() {
			return nil
		}
		last = now
	}
}

// activity is the CPU time of a reader and the state of its group.
type activity struct {
	cpu   time.Duration // used so far
	group procnet.Group
}

// activity returns the activity of the process.
func (c *child) activity() (activity, error) {
	cpu, err := cpuTime(c.pid())
	if err != nil {
		return activity{}, err
	}
	g, err := procnet.ReadGroup(c.ns, group)
	return activity{cpu: cpu, group: g}, err
}

// drained reports whether the group is bound and no packet waits for the reader.
func (a activity) drained() bool {
	return a.group.Bound && a.group.Batched == 0 && a.group.Queued == 0
}

// scrape returns the sum of packetsMetric that the reader in ns exposes.
func scrape(ctx context.Context, ns *netns.NS) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+scrapeAddress+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		// A socket belongs to the namespace of the thread that makes it.
		DialContext: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			err = ns.Do(func() error {
				var d net.Dialer
				conn, err = d.DialContext(ctx, network, address)
				return err
			})
			return conn, err
		},
	}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("get %s: %s", req.URL, resp.Status)
	}
	return sumPackets(resp.Body)
}

// sumPackets adds up the series of packetsMetric in the text format.
func sumPackets(r io.Reader) (uint64, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return 0, fmt.Errorf("parse metrics: %w", err)
	}
	family := families[packetsMetric]
	if family.GetType() != dto.MetricType_COUNTER {
		return 0, fmt.Errorf("%s is a %v, not a counter", packetsMetric, family.GetType())
	}
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += metric.GetCounter().GetValue()
	}
	return uint64(sum), nil
}

// parseCount returns the number of packets, which is the first number that a reader prints.
func parseCount(s string) (uint64, error) {
	var n uint64
	if _, err := fmt.Sscan(s, &n); err != nil {
		return 0, fmt.Errorf("parse the output of the reader, %q: %w", s, err)
	}
	return n, nil
}
