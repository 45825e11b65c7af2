// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// stampPackets makes the kernel timestamp packets on receipt, until the end of the
// test. All rules that log a packet then report this time. Otherwise each reports
// the time at which it logs.
func stampPackets(t testing.TB) {
	t.Helper()
	// The kernel timestamps packets, in all namespaces, while a socket has this option.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, os.NewSyscallError("socket", err))
	t.Cleanup(func() { must(t, os.NewSyscallError("close", unix.Close(fd))) })
	must(t, os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1)))

	// It starts asynchronously. The probe is a packet that many rules log: without a
	// common timestamp, their times, in microseconds, can't all be equal.
	const probes = 100
	ns := kerneltest.NS(t)
	r, err := nflog.OpenReader(ourGroup, nflog.ReaderConfig{NetNS: ns.FD(), QueueThreshold: probes})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	must(t, r.SetDeadline(time.Now().Add(patience)))
	rs := nftrules.New(ns)
	input := rs.Chain(nftrules.Chain{Hook: nftrules.Input, Drop: true})
	for range probes {
		input.Log(ourGroup, "probe")
	}
	must(t, rs.Apply())
	kerneltest.Eventually(t, patience, func() error {
		if err := traffic.UDP(ns, netip.MustParseAddrPort("127.0.0.1:9"), 1, 0); err != nil {
			return err
		}
		stamps := make(map[time.Time]bool)
		for packets := 0; packets < probes; {
			batch, err := r.Receive()
			if err != nil {
				return err
			}
			for p := range batch.Packets() {
				stamp, _ := p.Timestamp()
				stamps[stamp] = true
				packets++
			}
		}
		if len(stamps) != 1 {
			return fmt.Errorf("the rules that log a packet report %d times", len(stamps))
		}
		return nil
	})
}
