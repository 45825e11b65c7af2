// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// TestIntegrationRead counts packets with two prefixes.
func TestIntegrationRead(t *testing.T) {
	ns := kerneltest.NS(t)
	set := nftrules.New(ns)
	output := set.Chain(nftrules.Chain{Hook: nftrules.Output, Drop: true})
	output.Log(group, "long", nftrules.UDPPort(1))
	output.Log(group, "", nftrules.UDPPort(2))
	if err := set.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var totals totals
	var nf *nflog.Nflog
	err := ns.Do(func() (err error) {
		nf, err = read(ctx, totals.count)
		return err
	})
	if err != nil {
		t.Fatalf("failed to read: %v", err)
	}
	for _, sent := range []struct {
		port            uint16
		packets, length int
	}{
		{port: 1, packets: 3, length: 2 * copyRange},
		{port: 2, packets: 5, length: copyRange / 2},
	} {
		const headersLen = 28 // of IPv4 and UDP
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), sent.port)
		if err := traffic.UDP(ns, to, sent.packets, sent.length-headersLen); err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}
	kerneltest.Eventually(t, 10*time.Second, func() error {
		if got := totals.packets(); got != 8 {
			return fmt.Errorf("%d packets, want 8", got)
		}
		return nil
	})
	cancel()
	if err := nf.Close(); err != nil {
		t.Fatalf("failed to close: %v", err)
	}
	want := map[string]*counts{
		"long": {packets: 3, bytes: 3 * copyRange},
		"":     {packets: 5, bytes: 5 * copyRange / 2},
	}
	if diff := cmp.Diff(want, totals.byPrefix, cmp.AllowUnexported(counts{})); diff != "" {
		t.Errorf("unexpected counts (-want +got):\n%s", diff)
	}
}
