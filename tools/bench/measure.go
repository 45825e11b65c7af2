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
)

const (
	// pollInterval is how often a reader is looked at while something is
	// waited for, and how long it has to be idle to count as idle.
	pollInterval = 100 * time.Millisecond
	// idleTime is the CPU time that an idle reader may take in pollInterval.
	idleTime = time.Millisecond
	// settleTimeout bounds each wait for a reader. The kernel holds a batch
	// for a second at most, and a slow reader has a full buffer to work off.
	settleTimeout = 30 * time.Second
	// scrapeTimeout bounds the request of a reader's metrics.
	scrapeTimeout = 20 * time.Second
)

// bench measures readers under the same load.
type bench struct {
	load      load
	floodCPU  int
	readerCPU int
}

// measure runs r against the load, in a network namespace of its own.
func (b *bench) measure(ctx context.Context, r reader) (m measurement, err error) {
	a, err := newArena(b.load)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, a.ns.Close()) }()
	c, err := startChild(a.ns, b.readerCPU, r.command)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()

	if err := c.settle(ctx); err != nil {
		return m, fmt.Errorf("before the flood: %w", err)
	}
	before, err := cpuTime(c.pid())
	if err != nil {
		return m, err
	}
	if m.flood, err = a.flood(ctx, b.floodCPU); err != nil {
		return m, err
	}
	if err := c.settle(ctx); err != nil {
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
	if m.logged, err = a.logged(); err != nil {
		return m, err
	}

	if r.scraped {
		m.counted, err = scrape(ctx, a.ns)
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

// settle waits until the process has bound the group and no logged packet is on
// its way any more: none in the batch that the kernel is filling, none in the
// socket, and none in the hands of the process, which is idle.
func (c *child) settle(ctx context.Context) error {
	timeout := time.NewTimer(settleTimeout)
	defer timeout.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()

	quiet := queue{bound: true}
	var last activity
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.done:
			return c.failure()
		case <-timeout.C:
			return fmt.Errorf("%s is not idle after %v (group %d bound: %t, packets batched: %d, bytes queued: %d)",
				c.name, settleTimeout, group, last.queue.bound, last.queue.batched, last.queue.queued)
		case <-tick.C:
		}
		now, err := look(c.pid())
		if err != nil {
			// Of a process that has ended /proc shows less and less. Its end
			// says more than that error.
			select {
			case <-c.done:
				return c.failure()
			case <-time.After(stopTimeout):
				return err
			}
		}
		if now.cpu-last.cpu < idleTime && now.queue == quiet && last.queue == quiet {
			return nil
		}
		last = now
	}
}

// activity is what a reader and its packets are up to.
type activity struct {
	cpu   time.Duration // What the reader has used so far.
	queue queue
}

// look returns the activity of the reader with this process id.
func look(pid int) (activity, error) {
	cpu, err := cpuTime(pid)
	if err != nil {
		return activity{}, err
	}
	q, err := groupQueue(pid)
	return activity{cpu: cpu, queue: q}, err
}

// scrape returns the sum of packetsMetric that the reader in ns serves.
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
		return 0, fmt.Errorf("%s is no counter, but a %v", packetsMetric, family.GetType())
	}
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += metric.GetCounter().GetValue()
	}
	return uint64(sum), nil
}

// parseCount returns the first number that a reader printed: its packets.
func parseCount(s string) (uint64, error) {
	var n uint64
	if _, err := fmt.Sscan(s, &n); err != nil {
		return 0, fmt.Errorf("count that the reader printed, %q: %w", s, err)
	}
	return n, nil
}
