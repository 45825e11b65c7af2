// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		want   float64
	}{
		{name: "none", want: math.NaN()},
		{name: "one", values: []float64{3}, want: 3},
		{name: "odd", values: []float64{9, 1, 4}, want: 4},
		{name: "even", values: []float64{8, 1, 2, 100}, want: 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := median(tt.values)
			if got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
				t.Errorf("unexpected median: want %v, got %v", tt.want, got)
			}
		})
	}
}

func TestMedianKeepsOrder(t *testing.T) {
	values := []float64{3, 1, 2}
	median(values)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Errorf("values were changed (-want +got):\n%s", diff)
	}
}

func TestShare(t *testing.T) {
	tests := []struct {
		name        string
		part, whole uint64
		want        string
	}{
		{name: "all", part: 1_000_000, whole: 1_000_000, want: "100 %"},
		{name: "all but one", part: 9_999_999, whole: 10_000_000, want: "99.999 %"},
		{name: "half", part: 1, whole: 2, want: "50.000 %"},
		{name: "too many", part: 3, whole: 2, want: "150.000 %"},
		{name: "nothing logged", part: 0, whole: 0, want: "100 %"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := share(tt.part, tt.whole); got != tt.want {
				t.Errorf("unexpected share: want %q, got %q", tt.want, got)
			}
		})
	}
}

func TestTable(t *testing.T) {
	cost := func(nanoseconds, counted uint64) measurement {
		return measurement{
			cpu:     time.Duration(nanoseconds * counted),
			counted: counted,
			logged:  1_000_000,
			peak:    3 << 19,
			flood:   500 * time.Millisecond,
		}
	}
	tests := []struct {
		name    string
		readers []string
		rounds  []round
		want    []string
	}{
		{
			name:    "ratios within rounds",
			readers: []string{readerExporter, readerC, readerPeer},
			// The medians of exporter and c, 50 and 60, would give 0.83.
			rounds: []round{
				{readerExporter: cost(50, 1_000_000), readerC: cost(50, 1_000_000), readerPeer: cost(1000, 1_000_000)},
				{readerExporter: cost(45, 1_000_000), readerC: cost(60, 1_000_000), readerPeer: cost(1200, 500_000)},
				{readerExporter: cost(70, 1_000_000), readerC: cost(100, 1_000_000), readerPeer: cost(1100, 1_000_000)},
			},
			want: []string{
				"| exporter | 50.0 ns | 100 % | 1.5 MiB | 2.000 M | 0.75 (0.70–1.00) |",
				"| c | 60.0 ns | 100 % | 1.5 MiB | 2.000 M | 1.00 (1.00–1.00) |",
				"| peer | 1100.0 ns | 83.333 % | 1.5 MiB | 2.000 M | 20.00 (11.00–20.00) |",
			},
		},
		{
			name:    "without c",
			readers: []string{readerPeer},
			rounds:  []round{{readerPeer: cost(1000, 1)}, {readerPeer: cost(2000, 1)}},
			want:    []string{"| peer | 1500.0 ns | 0.000 % | 1.5 MiB | 2.000 M | – |"},
		},
		{
			name:    "nothing counted",
			readers: []string{readerPeer},
			rounds:  []round{{readerPeer: {cpu: time.Second, logged: 1_000_000, peak: 3 << 19, flood: 500 * time.Millisecond}}},
			want:    []string{"| peer | +Inf ns | 0.000 % | 1.5 MiB | 2.000 M | – |"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := writeTable(&b, summarize(tt.readers, tt.rounds)); err != nil {
				t.Fatalf("failed to write table: %v", err)
			}
			want := append([]string{
				"| reader | CPU per counted packet | counted | peak memory | host logs/s | ratio to C (min–max) |",
				"|---|---:|---:|---:|---:|---:|",
			}, tt.want...)
			if diff := cmp.Diff(strings.Join(want, "\n")+"\n", b.String()); diff != "" {
				t.Errorf("unexpected table (-want +got):\n%s", diff)
			}
		})
	}
}
