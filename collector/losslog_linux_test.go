// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationLoss blocks the reader until the socket overflows. Counted and lost packets add up to those of the rule.
func TestIntegrationLoss(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	rule := logUDP(t, ns)
	group := promptGroup(100, ns.Path())
	group.SocketBuffer = 32 << 10
	r := start(t, Config{Groups: []GroupConfig{group}})
	r.waitBound(100)

	total := udpPackets("lo")
	const lost = `nflog_lost_packets_total{group="100"}`
	table := r.c.groups[0].table
	table.mu.Lock()
	send(t, ns, "127.0.0.1:9", 5000)
	table.mu.Unlock()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		sent, _ := ruleCount(t, rule)
		got := samples(t, r.c)
		if got[lost] == 0 || got[total]+got[lost] != float64(sent) {
			// The next packet shows a loss after the last one. It has until the next attempt to be counted.
			send(t, ns, "127.0.0.1:9", 1)
			return fmt.Errorf("%v packets are counted, %v lost, %d were sent", got[total], got[lost], sent)
		}
		return nil
	})
	if got := samples(t, r.c)[`nflog_socket_drops_total{group="100"}`]; got == 0 {
		t.Error("no datagram was dropped")
	}
	kerneltest.Eventually(t, 10*time.Second, func() error { // it is told after it is counted
		if lines := r.logs.with("level=warn", "Packets were lost"); len(lines) != 1 {
			return fmt.Errorf("%d warnings of the loss in the log, want one: %q", len(lines), lines)
		}
		return nil
	})

	// The counts go on with a new socket, which counts its drops from 0.
	r.breakSocket(0)
	r.wait(map[string]float64{`nflog_binds_total{group="100"}`: 2})
	if got := samples(t, r.c); got[lost] == 0 || got[`nflog_socket_drops_total{group="100"}`] == 0 {
		t.Errorf("the counts have started over: %v packets, %v datagrams lost", got[lost], got[`nflog_socket_drops_total{group="100"}`])
	}
}
