// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A flood logs 1.2 million packets.
const (
	floodRules   = 20
	floodPackets = 60_000
)

// TestIntegrationOverload logs more packets than the socket holds while the
// exporter is stopped, and checks that every packet is counted or reported lost.
func TestIntegrationOverload(t *testing.T) {
	ns, b := floodable(t)
	e := start(t, ns, "--nflog.socket-buffer=128KiB")

	e.signal(t, syscall.SIGSTOP)
	flood(t, ns, floodPackets)
	e.signal(t, syscall.SIGCONT)
	logOneMore(t, ns, e)

	want, s := b.balance(t, e)
	if len(want) != floodRules {
		t.Errorf("%d rules have logged, want %d", len(want), floodRules)
	}
	counted, lost, drops := s.packets(), s.value("nflog_lost_packets_total"), s.value("nflog_socket_drops_total")
	if counted == 0 || lost == 0 || drops == 0 {
		t.Errorf("%.0f packets counted, %.0f lost, %.0f datagrams dropped: want some of each", counted, lost, drops)
	}
	t.Logf("%.0f packets counted, %.0f lost, %.0f datagrams dropped", counted, lost, drops)
	if n := len(e.log.lines("Packets were lost")); n != 1 {
		t.Errorf("the log reports lost packets %d times, want once", n)
	}
}

// TestIntegrationFlood logs as fast as the machine can while the exporter runs.
func TestIntegrationFlood(t *testing.T) {
	ns, b := floodable(t)
	e := start(t, ns)

	flood(t, ns, floodPackets)
	logOneMore(t, ns, e)

	_, s := b.balance(t, e)
	t.Logf("%.0f packets counted, %.0f lost, %.0f datagrams", s.packets(), s.value("nflog_lost_packets_total"), s.value("nflog_datagrams_total"))
	if lost := s.value("nflog_lost_packets_total"); lost == 0 {
		b.check(t, e)
	}
}

// floodable returns a namespace with rules that each log all UDP packets to port
// discard of its loopback interface. The last rule drops them.
func floodable(t *testing.T) (*netns.NS, book) {
	t.Helper()
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	var b book
	for i := range floodRules {
		l := labels{Prefix: fmt.Sprintf("rule %d", i), Family: "ip", Hook: "output", Out: "lo", Protocol: "udp"}
		parts := []nftrules.Part{nftrules.UDPPort(discard)}
		if i == floodRules-1 {
			parts = append(parts, nftrules.Drop())
		}
		b.log(output, l, parts...)
	}
	must(t, rs.Apply())
	return ns, b
}

// flood sends packets to the loopback interface of a namespace.
func flood(t *testing.T, ns *netns.NS, packets int) {
	t.Helper()
	sent, err := traffic.Flood(t.Context(), ns, toPort(loopback4), packets, 10, 0)
	if err != nil || sent != packets {
		t.Fatalf("sent %d packets, want %d: %v", sent, packets, err)
	}
}

// floodAt sends that many packets a second to an address until it is stopped, or the test ends.
func floodAt(t *testing.T, ns *netns.NS, to netip.Addr, rate int) (stop func() (sent int, took time.Duration)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	began := time.Now()
	sent, done := 0, make(chan error, 1)
	go func() {
		var err error
		sent, err = traffic.Flood(ctx, ns, toPort(to), 0, 10, rate)
		done <- err
	}()
	return func() (int, time.Duration) {
		cancel()
		must(t, <-done)
		return sent, time.Since(began)
	}
}

// logOneMore waits until the socket is empty, so that it has room again, and logs
// one more packet. With it the exporter learns of all packets lost before.
func logOneMore(t *testing.T, ns *netns.NS, e *exporter) {
	t.Helper()
	e.eventually(t, bookTimeout, func(s scrape) error { return s.expect(0, "nflog_socket_queued_bytes") })
	flood(t, ns, 1)
}
