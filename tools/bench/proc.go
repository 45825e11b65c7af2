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

// cpuTime returns how long the threads of a process have run.
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
			continue // The thread has ended meanwhile.
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

// parseSchedstat returns the first field of a thread's schedstat: nanoseconds
// on a CPU, before those spent waiting for one and the number of time slices.
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

// peakMemory returns the most bytes that a process had resident.
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

// parsePeak returns VmHWM, in bytes, of a process's status.
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

// queue is what of the group's packets lies between rules and reader.
type queue struct {
	bound   bool   // A socket is bound to the group.
	batched uint64 // Packets in the batch that the kernel is filling.
	queued  uint64 // Bytes in the receive buffers of netfilter sockets.
}

// groupQueue returns the queue of the group in the namespace of a process.
func groupQueue(pid int) (queue, error) {
	// Not /proc/net, which would show this program's own namespace.
	dir := fmt.Sprintf("/proc/%d/net/", pid)
	groups, err := os.ReadFile(dir + "netfilter/nfnetlink_log")
	if err != nil {
		return queue{}, err
	}
	sockets, err := os.ReadFile(dir + "netlink")
	if err != nil {
		return queue{}, err
	}
	return parseQueue(string(groups), string(sockets))
}

// parseQueue reads the kernel's lists of NFLOG groups and of netlink sockets.
func parseQueue(groups, sockets string) (queue, error) {
	var q queue
	for line := range strings.Lines(groups) {
		// group portid qlen copy_mode copy_range timeout use
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != strconv.Itoa(group) {
			continue
		}
		n, err := strconv.ParseUint(fields[2], 10, 64)
		if err != nil {
			return queue{}, fmt.Errorf("packets in group's batch: %w", err)
		}
		q.bound, q.batched = true, n
	}
	for line := range strings.Lines(sockets) {
		// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[1] != strconv.Itoa(unix.NETLINK_NETFILTER) {
			continue
		}
		n, err := strconv.ParseUint(fields[4], 10, 64)
		if err != nil {
			return queue{}, fmt.Errorf("bytes in netlink socket: %w", err)
		}
		q.queued += n
	}
	return q, nil
}
