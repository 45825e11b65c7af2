// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationDefaults starts the exporter without flags.
func TestIntegrationDefaults(t *testing.T) {
	ns := kerneltest.NS(t)
	sink(t, ns)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(99, "another group", nftrules.UDPPort(discard))
	var b book
	b.log(output, labels{Prefix: "this one", Family: "ip", Hook: "output", Out: "lo", Protocol: "udp"}, nftrules.UDPPort(discard))
	must(t, rs.Apply())

	e := start(t, ns)
	s := e.mustScrape(t)
	if err := errors.Join(
		s.expect(1, "nflog_up"),
		s.expect(1, "nflog_binds_total"),
		s.expect(0, "nflog_label_sets"),
	); err != nil {
		t.Error(err)
	}
	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	b.check(t, e)

	e.address = "[::1]:10100"                             // it listens on all addresses
	kerneltest.Eventually(t, startTimeout, func() error { // it may not know the rules yet
		page, contentType, err := e.get(t.Context(), "/", "")
		if err != nil || !strings.HasPrefix(contentType, "text/html") || !strings.Contains(string(page), "<h1>1 rule logs to group 99, which nobody reads.</h1>") {
			return fmt.Errorf("unexpected page: %q, %s, %w", contentType, page, err)
		}
		return nil
	})
}

// TestIntegrationKilled restarts the exporter after it was killed.
func TestIntegrationKilled(t *testing.T) {
	ns := kerneltest.NS(t)
	b := logOutput(t, ns, "")

	first := start(t, ns)
	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	b.check(t, first)
	first.kill()

	// No reader is bound: only the rule counts these.
	must(t, traffic.UDP(ns, toPort(loopback4), 4, 10))

	second := start(t, ns)
	s := second.mustScrape(t)
	if err := errors.Join(
		s.expect(1, "nflog_up"), // after the first attempt: start does not wait for another
		s.expect(1, "nflog_binds_total"),
		s.expect(0, "nflog_bind_failures_total", "reason", "held"),
		s.expect(0, "nflog_lost_packets_total"),
		s.expect(0, "nflog_label_sets"),
	); err != nil {
		t.Error(err)
	}
	must(t, traffic.UDP(ns, toPort(loopback4), 5, 10))
	b[0].counter = since{b[0].counter, 7, 7 * 38}
	b.check(t, second)
}

// since is a counter without its first packets and bytes.
type since struct {
	counter
	packets, bytes uint64
}

// Count implements counter.
func (s since) Count() (packets, bytes uint64, err error) {
	packets, bytes, err = s.counter.Count()
	return packets - s.packets, bytes - s.bytes, err
}
