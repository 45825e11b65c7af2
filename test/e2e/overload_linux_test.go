// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A flood is 1.2 million logged packets.
const (
	floodRules   = 20
	floodPackets = 60_000
)

// TestIntegrationOverload logs more than a reader that does not run can be sent,
// and checks that not one packet is unaccounted for.
func TestIntegrationOverload(t *testing.T) {
	ns, b := floodable(t)
	e := start(t, ns, "--nflog.socket-buffer=128KiB")

	e.signal(t, syscall.SIGSTOP)
	flood(t, ns, floodPackets)
	e.signal(t, syscall.SIGCONT)
	afterwards(t, ns, e)

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
		t.Errorf("the log speaks %d times of lost packets, want once", n)
	}
}

// TestIntegrationFlood logs as fast as the machine can to a reader that has the
// time that it gets.
func TestIntegrationFlood(t *testing.T) {
	ns, b := floodable(t)
	e := start(t, ns)

	flood(t, ns, floodPackets)
	afterwards(t, ns, e)

	_, s := b.balance(t, e)
	t.Logf("%.0f packets counted, %.0f lost, %.0f datagrams", s.packets(), s.value("nflog_lost_packets_total"), s.value("nflog_datagrams_total"))
	if lost := s.value("nflog_lost_packets_total"); lost == 0 {
		b.check(t, e)
	}
}

// floodable returns a namespace with rules that log, each by itself, what is sent
// to its loopback interface.
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

// afterwards sends one more packet when the exporter has emptied its socket, so
// that there is room for it. It shows what was lost before it.
func afterwards(t *testing.T, ns *netns.NS, e *exporter) {
	t.Helper()
	e.eventually(t, bookTimeout, func(s scrape) error { return s.expect(0, "nflog_socket_queued_bytes") })
	flood(t, ns, 1)
}
