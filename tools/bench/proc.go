// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time that the threads of a process have used.
func cpuTime(pid int) (time.Duration, error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(paths) == 0 {
		return 0, fmt.Errorf("process %d has no schedstat: it has ended, or the kernel lacks CONFIG_SCHED_INFO", pid)
	}
	var total time.Duration
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, err
		}
		run, err := parseSchedstat(string(b))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		total += run
	}
	return total, nil
}

// parseSchedstat returns the first field of a thread's schedstat, the time on a
// CPU in nanoseconds. The others are the time spent waiting for a CPU and the
// number of time slices.
func parseSchedstat(s string) (time.Duration, error) {
	fields := strings.Fields(s)
	if len(fields) != 3 {
		return 0, fmt.Errorf("want 3 fields, have %q", s)
	}
	ns, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("time on CPU: %w", err)
	}
	return time.Duration(ns), nil
}

// peakMemory returns the peak resident memory of a process, in bytes.
func peakMemory(pid int) (uint64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	peak, err := parsePeak(string(b))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return peak, nil
}

// parsePeak returns VmHWM from the status of a process, in bytes.
func parsePeak(status string) (uint64, error) {
	for line := range strings.Lines(status) {
		value, ok := strings.CutPrefix(line, "VmHWM:")
		if !ok {
			continue
		}
		value, ok = strings.CutSuffix(strings.TrimSpace(value), " kB")
		if !ok {
			return 0, fmt.Errorf("unit of %q is not kB", line)
		}
		kib, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("VmHWM: %w", err)
		}
		return kib << 10, nil
	}
	return 0, errors.New("no VmHWM")
}
