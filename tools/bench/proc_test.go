// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"testing"
	"time"
)

func TestParseSchedstat(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want time.Duration
		ok   bool
	}{
		{name: "running", in: "1234567890 42 7\n", want: 1234567890, ok: true},
		{name: "never ran", in: "0 0 0\n", ok: true},
		{name: "empty", in: ""},
		{name: "short", in: "1 2\n"},
		{name: "no number", in: "x 2 3\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseSchedstat(tt.in)
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("unexpected result: want %v, ok %t; got %v, %v", tt.want, tt.ok, got, err)
			}
		})
	}
}

func TestParsePeak(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want uint64
		ok   bool
	}{
		{name: "status", in: "Name:\tbench\nVmPeak:\t  9999 kB\nVmHWM:\t   1536 kB\nVmRSS:\t   1024 kB\n", want: 1536 << 10, ok: true},
		{name: "kernel thread", in: "Name:\tkthreadd\nThreads:\t1\n"},
		{name: "other unit", in: "VmHWM:\t1536 MB\n"},
		{name: "no number", in: "VmHWM:\tmuch kB\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePeak(tt.in)
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("unexpected result: want %d, ok %t; got %d, %v", tt.want, tt.ok, got, err)
			}
		})
	}
}

func TestOwnProcess(t *testing.T) {
	if cpu, err := cpuTime(os.Getpid()); err != nil || cpu <= 0 {
		t.Errorf("unexpected CPU time of this process: %v, %v", cpu, err)
	}
	if peak, err := peakMemory(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("unexpected peak memory of this process: %d, %v", peak, err)
	}
}
