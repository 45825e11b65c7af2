// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFlags(t *testing.T) {
	defaults := config{
		load:     load{rules: 20, prefixes: 4, packets: 50000, size: 200},
		rounds:   5,
		readers:  []string{"exporter", "c", "fast", "compatible", "go-nflog"},
		exporter: []string{"./nflog_exporter"},
	}
	tests := []struct {
		name string
		args []string
		want config
	}{
		{name: "defaults", want: defaults},
		{
			name: "all",
			args: []string{
				"-rounds=2", "-rules", "8", "-prefixes", "8", "-packets=10", "-size=0", "-pps=1000", "-ipv6",
				"-exporter=/bin/exporter", "-readers=fast,exporter", "--", "--nflog.copy-range=64B",
			},
			want: config{
				load:     load{rules: 8, prefixes: 8, packets: 10, pps: 1000, ipv6: true},
				rounds:   2,
				readers:  []string{readerFast, readerExporter},
				exporter: []string{"/bin/exporter", "--nflog.copy-range=64B"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseFlags(tt.args)
			if err != nil {
				t.Fatalf("failed to parse flags: %v", err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(config{}, load{})); diff != "" {
				t.Errorf("unexpected config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFlagsErrors(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string // part of the error
	}{
		{name: "unknown flag", args: []string{"-x"}, want: "-x"},
		{name: "no number", args: []string{"-rounds=many"}, want: "-rounds"},
		{name: "no rounds", args: []string{"-rounds=0"}, want: "-rounds 0: want at least 1"},
		{name: "no rules", args: []string{"-rules=0"}, want: "-rules 0: want 1 to 1000"},
		{name: "more prefixes than rules", args: []string{"-rules=2", "-prefixes=3"}, want: "-prefixes 3: want 1 to 2"},
		{name: "no packets", args: []string{"-packets=0"}, want: "-packets 0: want 1 to"},
		{name: "too large", args: []string{"-size=65508"}, want: "-size 65508: want 0 to 65507"},
		{name: "negative rate", args: []string{"-pps=-1"}, want: "-pps -1: want 0 to"},
		{name: "unknown reader", args: []string{"-readers=c,d"}, want: "-readers c,d: want some of"},
		{name: "reader twice", args: []string{"-readers=c,fast,c"}, want: "c is there twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseFlags(tt.args)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("unexpected error: want one with %q, got %v", tt.want, err)
			}
		})
	}
}
