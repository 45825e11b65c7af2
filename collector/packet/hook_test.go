// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFamilyName(t *testing.T) {
	tests := []struct {
		family uint8
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
			if diff := cmp.Diff(tt.want, FamilyName(tt.family)); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHookName(t *testing.T) {
	tests := []struct {
		name   string
		family uint8
		want   []string // by hook
	}{
		{
			name:   "ip",
			family: familyIPv4,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "ip6",
			family: familyIPv6,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "bridge",
			family: familyBridge,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "5", "6"},
		},
		{
			name:   "arp",
			family: familyARP,
			want:   []string{"input", "output", "forward", "3"},
		},
		{
			name:   "netdev",
			family: familyNetdev,
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
				got = append(got, HookName(tt.family, uint8(hook)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("255", HookName(tt.family, 255)); diff != "" {
				t.Errorf("unexpected name of hook 255 (-want +got):\n%s", diff)
			}
		})
	}
}
