// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestMain lets the test binary act as the process that bench starts itself as.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == commandPinned {
		main()
		return
	}
	kerneltest.Main(m)
}

func TestSumPackets(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want uint64
		ok   bool
	}{
		{
			name: "series",
			in: `# HELP nflog_packets_total Packets.
# TYPE nflog_packets_total counter
nflog_packets_total{prefix="a} 7"} 1000000
nflog_packets_total{prefix="b"} 1.5e+06
# TYPE nflog_packets_total_other counter
nflog_packets_total_other 5
`,
			want: 2_500_000,
			ok:   true,
		},
		{name: "no series", in: "# TYPE other counter\nother 1\n", ok: true},
		{name: "no counter", in: "# TYPE nflog_packets_total gauge\nnflog_packets_total 1\n"},
		{name: "no metrics", in: "<html>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sumPackets(strings.NewReader(tt.in))
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("unexpected result: want %d, ok %t; got %d, %v", tt.want, tt.ok, got, err)
			}
		})
	}
}

func TestParseCount(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want uint64
		ok   bool
	}{
		{name: "number", in: "20000\n", want: 20000, ok: true},
		{name: "several numbers", in: "20000 4560000 0\n", want: 20000, ok: true},
		{name: "nothing printed", in: ""},
		{name: "something else", in: "usage: creader GROUP\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseCount(tt.in)
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("unexpected result: want %d, ok %t; got %d, %v", tt.want, tt.ok, got, err)
			}
		})
	}
}

// testBench returns a bench with a load so small that no reader loses a packet.
func testBench(t *testing.T) *bench {
	t.Helper()
	flood, read, err := twoCPUs()
	if err != nil {
		kerneltest.Skip(t, err.Error())
	}
	return &bench{load: load{rules: 3, prefixes: 2, packets: 100, size: 20}, floodCPU: flood, readerCPU: read}
}

func TestIntegrationMeasure(t *testing.T) {
	t.Chdir("../..")
	// Not the one with go-nflog: its build may need the network, which is missing in a namespace.
	for _, name := range []string{readerC, readerFast, readerCompatible} {
		t.Run(name, func(t *testing.T) {
			kerneltest.NS(t) // skips the test if namespaces are forbidden
			b := testBench(t)
			r, err := newReader(t.Context(), name, nil, t.TempDir())
			if err != nil {
				kerneltest.Skip(t, err.Error())
			}
			for _, ipv6 := range []bool{false, true} {
				b.load.ipv6 = ipv6
				m, err := b.measure(t.Context(), r)
				if err != nil {
					t.Fatalf("failed to measure (IPv6: %t): %v", ipv6, err)
				}
				if m.logged != 300 || m.counted != 300 {
					t.Errorf("unexpected packets (IPv6: %t): want 300, got %d counted of %d logged", ipv6, m.counted, m.logged)
				}
				if m.cpu <= 0 || m.peak == 0 || m.flood <= 0 {
					t.Errorf("measurement has holes (IPv6: %t): %+v", ipv6, m)
				}
			}
		})
	}
}

func TestIntegrationMeasureFailure(t *testing.T) {
	interrupted := errors.New("interrupted")
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	tests := []struct {
		name    string
		ctx     context.Context
		command []string
		want    string // part of the error
	}{
		{name: "no program", ctx: t.Context(), command: []string{"/nonexistent"}, want: "start /nonexistent: no such file"},
		{name: "ends at once", ctx: t.Context(), command: []string{"/bin/sh", "-c", "echo why >&2; exit 3"}, want: "/bin/sh ended (exit status 3): why"},
		{name: "interrupted", ctx: canceled, command: []string{"/bin/sh", "-c", "exec sleep 60"}, want: "interrupted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.NS(t) // skips the test if namespaces are forbidden
			b := testBench(t)
			_, err := b.measure(tt.ctx, reader{name: tt.name, command: tt.command})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("unexpected error: want one with %q, got %v", tt.want, err)
			}
		})
	}
}
