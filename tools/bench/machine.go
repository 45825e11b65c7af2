// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// twoCPUs returns the first two CPUs that this process may use.
func twoCPUs() (first, second int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, os.NewSyscallError("sched_getaffinity", err)
	}
	if set.Count() < 2 {
		return 0, 0, errors.New("the flood and the reader need a CPU each, and there is only one: run it on a machine with two CPUs")
	}
	cpus := make([]int, 0, 2)
	for cpu := 0; len(cpus) < 2; cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus[0], cpus[1], nil
}

// machine describes kernel, architecture, Go version and CPU: the figures depend on them.
func machine() string {
	var uname unix.Utsname
	kernel := "Linux"
	if err := unix.Uname(&uname); err == nil {
		kernel += " " + unix.ByteSliceToString(uname.Release[:])
	}
	parts := []string{kernel, runtime.GOARCH, runtime.Version()}
	if model := cpuModel(); model != "" {
		parts = append(parts, model)
	}
	return strings.Join(parts, ", ")
}

// cpuModel returns the model name of the first CPU, or "" if /proc/cpuinfo has
// none. That depends on the architecture.
func cpuModel() string {
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(cpuinfo)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
