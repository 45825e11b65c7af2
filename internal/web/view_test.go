// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/internal/status"
)

func TestCurve(t *testing.T) {
	tests := []struct {
		name  string
		curve status.Curve
		want  curve
	}{
		{name: "none", curve: status.Curve{Step: 10}, want: curve{Width: 12, Height: 30, Area: "M12,30H12L12,30Z", Span: "last 10 s", Most: "0", Short: true}},
		{
			name:  "short",
			curve: status.Curve{Step: 10, Packets: []uint32{100, 50, 0}, Lost: []uint32{0, 7, 0}},
			want:  curve{Width: 12, Height: 30, Area: "M9,30V2h1V16h1V30h1H12L12,30Z", Lost: "M10,0h1v30h-1z", Span: "last 30 s", Most: "10.0"},
		},
		{
			name:  "ends high",
			curve: status.Curve{Step: 60, Packets: []uint32{3, 9}, Lost: []uint32{0, 0}},
			want:  curve{Width: 12, Height: 30, Area: "M10,30V20.7h1V2h1H12L12,30Z", Span: "last 2 min", Most: "0.1"},
		},
		{
			name:  "nothing",
			curve: status.Curve{Step: 60, Packets: make([]uint32, 60), Lost: make([]uint32, 60)},
			want:  curve{Width: 60, Height: 30, Area: "M0,30H60L60,30Z", Span: "last hour", Most: "0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, newCurve(tt.curve)); diff != "" {
				t.Errorf("unexpected curve (-want +got):\n%s", diff)
			}
		})
	}
}
