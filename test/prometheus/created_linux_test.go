// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationFirstPacketInScrape logs the first packet of a rule when a scrape
// has begun that will see it. A creation time must be earlier than the scrape, else a
// Prometheus takes it with the next one, and the count falls to 0 in between.
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
		default: // nobody waits for a scrape
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

// awaitRead waits until the exporter has read all packets that were logged.
func (h *host) awaitRead(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		return h.ns.Do(func() error {
			groups, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_log")
			if err != nil {
				return err
			}
			var number, port, waiting int
			if _, err := fmt.Sscan(string(groups), &number, &port, &waiting); err != nil || waiting > 0 {
				return fmt.Errorf("%d packets wait in the kernel: %w", waiting, err)
			}
			sockets, err := os.ReadFile("/proc/thread-self/net/netlink")
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(sockets)) {
				const protocol, queued = 1, 4
				fields := strings.Fields(line)
				if fields[protocol] == fmt.Sprint(unix.NETLINK_NETFILTER) && fields[queued] != "0" {
					return fmt.Errorf("a socket has %s bytes queued", fields[queued])
				}
			}
			return nil
		})
	})
}
