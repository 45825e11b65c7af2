// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationIdle checks that the released exporter sleeps while nothing is
// logged.
func TestIntegrationIdle(t *testing.T) {
	const (
		period      = 3 * time.Second
		maxCPU      = 3 * time.Millisecond
		maxSwitches = 10 * 3
	)
	ns, b := floodable(t)
	e := startBinary(t, ns, built(t, released))
	flood(t, ns, 1)
	b.check(t, e)

	// In the first period, the runtime may still collect the garbage of the scrape.
	for last := range 3 {
		cpu, switches := e.cpu(t), e.switches(t)
		time.Sleep(period)
		cpu, switches = e.cpu(t)-cpu, e.switches(t)-switches
		t.Logf("in %v: %v of CPU time, %d voluntary context switches", period, cpu, switches)
		if cpu <= maxCPU && switches <= maxSwitches {
			return
		}
		if last == 2 {
			t.Errorf("used %v of CPU time and %d voluntary context switches in %v, want at most %v and %d",
				cpu, switches, period, maxCPU, maxSwitches)
		}
	}
}

// TestIntegrationCalm checks the CPU time of the released exporter while a hundred
// packets a second are logged.
func TestIntegrationCalm(t *testing.T) {
	const (
		period = 5 * time.Second
		rate   = 100
		maxCPU = period / 200 // half a percent
	)
	ns := kerneltest.NS(t)
	b := logOutput(t, ns, "calm")
	e := startBinary(t, ns, built(t, released))

	cpu, switches := e.cpu(t), e.switches(t)
	began := time.Now()
	if _, err := traffic.Flood(t.Context(), ns, toPort(loopback4), int(period.Seconds())*rate, 10, rate); err != nil {
		t.Fatalf("failed to send: %v", err)
	}
	took := time.Since(began)
	cpu, switches = e.cpu(t)-cpu, e.switches(t)-switches
	t.Logf("in %v: %v of CPU time, %.3f %%, %d voluntary context switches", took, cpu, 100*cpu.Seconds()/took.Seconds(), switches)
	if cpu > maxCPU {
		t.Errorf("used %v of CPU time in %v, want at most %v", cpu, period, maxCPU)
	}
	b.check(t, e)
}

// cpu returns the CPU time of the exporter.
func (e *exporter) cpu(t *testing.T) time.Duration {
	t.Helper()
	// MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of include/linux/posix-timers_types.h
	clock := int32(^e.cmd.Process.Pid<<3 | 2)
	var at unix.Timespec
	must(t, unix.ClockGettime(clock, &at))
	return time.Duration(at.Nano())
}

// switches returns the voluntary context switches of the exporter's threads: how
// often they went to sleep.
func (e *exporter) switches(t *testing.T) int {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", e.cmd.Process.Pid))
	must(t, err)
	sum := 0
	for _, path := range paths {
		status, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		must(t, err)
		const field = "\nvoluntary_ctxt_switches:"
		_, value, _ := strings.Cut(string(status), field)
		var n int
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatalf("no%q in %s: %v", field, path, err)
		}
		sum += n
	}
	return sum
}
