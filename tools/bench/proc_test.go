// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestParseQueue(t *testing.T) {
	const header = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
	tests := []struct {
		name    string
		groups  string
		sockets string
		want    queue
		ok      bool
	}{
		{name: "not bound", sockets: header, ok: true},
		{
			name:   "another group",
			groups: "    5   1234     7 2   128     50  1\n",
			ok:     true,
		},
		{
			name:    "idle",
			groups:  "    5   1234     7 2   128     50  1\n  100   1234     0 2   128     50  1\n",
			sockets: header + "0000000000000000 12  1234       00000000 0        0        0     2        0        51\n",
			want:    queue{bound: true},
			ok:      true,
		},
		{
			name:   "busy",
			groups: "  100   1234    12 2   128     50  1\n",
			sockets: header +
				"0000000000000000 0   1233       00000000 77       0        0     2        0        50\n" +
				"0000000000000000 12  1234       00000000 4352     0        0     2        3        51\n" +
				"0000000000000000 12  0          00000000 1        0        0     2        0        52\n",
			want: queue{bound: true, batched: 12, queued: 4353},
			ok:   true,
		},
		{name: "bad group", groups: "  100   1234    x 2   128     50  1\n"},
		{name: "bad socket", sockets: header + "0 12 1234 00000000 x 0 0 2 0 51\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseQueue(tt.groups, tt.sockets)
			if (err == nil) != tt.ok {
				t.Fatalf("unexpected error: want ok %t, got %v", tt.ok, err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(queue{})); diff != "" {
				t.Errorf("unexpected queue (-want +got):\n%s", diff)
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
