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

// stampPackets has the kernel note, until the test ends, when it receives a
// packet. All that log the packet then tell this time; else each tells its own.
func stampPackets(t testing.TB) {
	t.Helper()
	// The kernel notes the time, in all namespaces, while there is a socket that
	// wants to know it.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, os.NewSyscallError("socket", err))
	t.Cleanup(func() { must(t, os.NewSyscallError("close", unix.Close(fd))) })
	must(t, os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1)))

	// It begins some time later. So many rules can't all be run in the
	// microsecond that the times are told in.
	const probes = 100
	ns := kerneltest.NS(t)
	r, err := nflog.OpenReader(ourGroup, nflog.ReaderConfig{NetNS: ns.FD(), QueueThreshold: probes})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	must(t, r.SetReadDeadline(time.Now().Add(patience)))
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
			return fmt.Errorf("rules that log a packet tell %d times", len(stamps))
		}
		return nil
	})
}
