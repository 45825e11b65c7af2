// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationStop stops the exporter while packets wait in the kernel, due in
// an hour, and while a client has an unfinished request.
func TestIntegrationStop(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			sink(t, ns)
			rs := nftrules.New(ns)
			rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "", nftrules.UDPPort(discard))
			must(t, rs.Apply())
			e := start(t, ns, "--nflog.queue-timeout=1h")
			hang(t, e)

			must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
			if waiting := e.kernelGroup(t).Batched; waiting != 3 {
				t.Errorf("%d packets wait in the kernel, want 3", waiting)
			}
			e.signal(t, signal)
			awaitFree(t, ns)
			select {
			case <-e.exited:
				t.Error("the exporter did not wait for the request")
			default:
			}
			e.awaitExit(t, 0)

			const unbound = "Group unbound, socket drained"
			if n := len(e.log.lines(unbound)); n != 1 {
				t.Errorf("the log has %d lines with %q, want 1", n, unbound)
			}
		})
	}
}

// hang starts a request for metrics and does not finish it.
func hang(t *testing.T, e *exporter) {
	t.Helper()
	conn, err := e.dial(t.Context())
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
		t.Fatalf("failed to start a request: %v", err)
	}
	// Connections are accepted in order: once a later one has a response, this one
	// is accepted.
	e.mustScrape(t)
}

// awaitFree waits until no socket holds the group. That must be soon after the
// exporter got the signal.
func awaitFree(t *testing.T, ns *netns.NS) {
	t.Helper()
	kerneltest.Eventually(t, time.Second, func() error {
		r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return err
		}
		return r.Close()
	})
}
