// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestFamilyString(t *testing.T) {
	tests := []struct {
		family nflog.Family
		want   string
	}{
		{family: 0, want: "0"},
		{family: 1, want: "1"},
		{family: 2, want: "ip"},
		{family: 3, want: "arp"},
		{family: 5, want: "netdev"},
		{family: 7, want: "bridge"},
		{family: 10, want: "ip6"},
		{family: 255, want: "255"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.family.String()); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

func hookName(family nflog.Family, hook uint8) string {
	o := nflog.Origin{Family: family, Hook: hook}
	return o.HookName()
}

func TestHookName(t *testing.T) {
	tests := []struct {
		name   string
		family nflog.Family
		want   []string // by hook
	}{
		{
			name:   "ip",
			family: nflog.FamilyIPv4,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "ip6",
			family: nflog.FamilyIPv6,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "bridge",
			family: nflog.FamilyBridge,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "5", "6"},
		},
		{
			name:   "arp",
			family: nflog.FamilyARP,
			want:   []string{"input", "output", "forward", "3"},
		},
		{
			name:   "netdev",
			family: nflog.FamilyNetdev,
			want:   []string{"ingress", "egress", "2"},
		},
		{
			name:   "unknown family",
			family: 99,
			want:   []string{"0", "1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for hook := range tt.want {
				got = append(got, hookName(tt.family, uint8(hook)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("255", hookName(tt.family, 255)); diff != "" {
				t.Errorf("unexpected name of hook 255 (-want +got):\n%s", diff)
			}
		})
	}
}
