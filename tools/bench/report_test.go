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

func TestMissing(t *testing.T) {
	tests := []struct {
		name            string
		counted, logged uint64
		want            string
	}{
		{name: "none", counted: 1_000_000, logged: 1_000_000, want: "0 %"},
		{name: "one", counted: 9_999_999, logged: 10_000_000, want: "0.001 %"},
		{name: "half", counted: 1, logged: 2, want: "50.000 %"},
		{name: "all", counted: 0, logged: 2, want: "100.000 %"},
		{name: "too many counted", counted: 3, logged: 2, want: "-50.000 %"},
		{name: "nothing logged", counted: 0, logged: 0, want: "0 %"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := missing(tt.counted, tt.logged); got != tt.want {
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
			readers: []string{readerC, readerFast, readerGoNFLOG},
			// The medians of fast and c, 50 and 60, would give 0.83.
			rounds: []round{
				{readerFast: cost(50, 1_000_000), readerC: cost(50, 1_000_000), readerGoNFLOG: cost(1000, 1_000_000)},
				{readerFast: cost(45, 1_000_000), readerC: cost(60, 1_000_000), readerGoNFLOG: cost(900, 500_000)},
				{readerFast: cost(70, 1_000_000), readerC: cost(100, 1_000_000), readerGoNFLOG: cost(1000, 1_000_000)},
			},
			want: []string{
				"| c | 60.0 ns | 1.00 (1.00–1.00) | 0.07 (0.05–0.10) | 0 % | 1.5 MiB | 2.000 M |",
				"| fast | 50.0 ns | 0.75 (0.70–1.00) | 0.05 (0.05–0.07) | 0 % | 1.5 MiB | 2.000 M |",
				"| go-nflog | 1000.0 ns | 15.00 (10.00–20.00) | 1.00 (1.00–1.00) | 16.667 % | 1.5 MiB | 2.000 M |",
			},
		},
		{
			name:    "nothing to compare with",
			readers: []string{readerFast},
			rounds:  []round{{readerFast: cost(1000, 1)}, {readerFast: cost(2000, 1)}},
			want:    []string{"| fast | 1500.0 ns | – | – | 100.000 % | 1.5 MiB | 2.000 M |"},
		},
		{
			name:    "nothing counted",
			readers: []string{readerFast},
			rounds:  []round{{readerFast: {cpu: time.Second, logged: 1_000_000, peak: 3 << 19, flood: 500 * time.Millisecond}}},
			want:    []string{"| fast | +Inf ns | – | – | 100.000 % | 1.5 MiB | 2.000 M |"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := writeTable(&b, summarize(tt.readers, tt.rounds)); err != nil {
				t.Fatalf("failed to write table: %v", err)
			}
			want := append([]string{
				"| reader | CPU per counted packet | ratio to c (min–max) | ratio to go-nflog (min–max) | not counted | peak memory | host logs/s |",
				"|---|---:|---:|---:|---:|---:|---:|",
			}, tt.want...)
			if diff := cmp.Diff(strings.Join(want, "\n")+"\n", b.String()); diff != "" {
				t.Errorf("unexpected table (-want +got):\n%s", diff)
			}
		})
	}
}
