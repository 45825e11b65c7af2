// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/procnet"
)

// TestIntegrationFirstPacketInScrape logs the first packet of a rule after a scrape
// has begun that will include it. The creation time must be earlier than the scrape.
// Otherwise Prometheus ingests it with the next scrape, and the count falls to 0 in
// between.
func TestIntegrationFirstPacketInScrape(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	startExporter(t, h.ns)
	begun, resumed := make(chan struct{}), make(chan struct{})
	resume := sync.OnceFunc(func() { close(resumed) })
	defer resume()
	s := startServer(t, features{created: true}, func(ctx context.Context) (net.Conn, error) {
		select {
		case begun <- struct{}{}:
			<-resumed
		default: // the test does not wait for a scrape
		}
		return dial(ctx, h.ns)
	})
	start := s.awaitScrapes(t, 2)

	<-begun
	h.send(t, first, firstPackets...)
	h.awaitRead(t)
	resume()
	end := s.awaitScrapes(t, 2)
	for function, want := range map[string]float64{"increase": 1, "resets": 0} {
		s.checkValue(t, end, fmt.Sprintf(`%s(nflog_packets_total{prefix="first"}[%s])`, function, duration(start, end)), want)
	}
}

// awaitRead waits until the exporter has received all packets that were logged.
func (h *host) awaitRead(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		g, err := procnet.ReadGroup(h.ns, group)
		if err == nil && (g.Batched > 0 || g.Queued > 0) {
			err = fmt.Errorf("%d packets wait in the kernel, %d bytes in the socket", g.Batched, g.Queued)
		}
		return err
	})
}
