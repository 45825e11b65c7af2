// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationTCP counts the segments of a connection without data.
func TestIntegrationTCP(t *testing.T) {
	for _, dst := range []netip.Addr{b4, b6} {
		t.Run(dst.String(), func(t *testing.T) {
			a, b := pair(t)
			if err := traffic.TCP(a, b, port(dst), 4, 100_000); err != nil {
				t.Fatalf("failed to exchange: %v", err)
			}
			rs := nftrules.New(b)
			rule := rs.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, "", nftrules.TCPPort(9))
			if err := rs.Apply(); err != nil {
				t.Fatalf("failed to apply rules: %v", err)
			}
			if err := traffic.TCP(a, b, port(dst), 1, 0); err != nil {
				t.Fatalf("failed to exchange: %v", err)
			}
			// SYN, ACK of SYN-ACK, FIN, and the ACK of the server's FIN.
			kerneltest.Eventually(t, 10*time.Second, func() error {
				packets, _, err := rule.Count()
				if err == nil && packets < 4 {
					err = fmt.Errorf("got %d packets, want at least 4", packets)
				}
				return err
			})
		})
	}
}
