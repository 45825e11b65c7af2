// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	tests := []struct {
		name string
		expr string
		want Names
	}{
		{
			name: "metric",
			expr: `up`,
			want: Names{Metrics: []string{"up"}},
		},
		{
			name: "selector",
			expr: `a_b:c:d{e="f{g=\"h\"}",i=~".+", j!~"k", l!="m"} offset 5m > bool 0`,
			want: Names{Metrics: []string{"a_b:c:d"}, Labels: []string{"e", "i", "j", "l"}},
		},
		{
			name: "aggregation before and after",
			expr: `sum by (a, b) (rate(c[5m])) / on (a) group_left (d) sum without (e) (f) and ignoring(g) h`,
			want: Names{Metrics: []string{"c", "f", "h"}, Labels: []string{"a", "b", "d", "e", "g"}},
		},
		{
			name: "aggregation without labels",
			expr: "topk(10, a) or on () count(b) unless sum(c) by (d)",
			want: Names{Metrics: []string{"a", "b", "c"}, Labels: []string{"d"}},
		},
		{
			name: "subquery, offset and end",
			expr: `max_over_time(a[7d:15m] offset 1d) + rate(b[1h] @ end()) + time() + 1e3 + Inf`,
			want: Names{Metrics: []string{"a", "b"}},
		},
		{
			name: "label_replace",
			expr: `label_replace(label_replace(a{b="c"}, "d", "$1", "b", "(.+)"), "e", "1,2", "", "")`,
			want: Names{Metrics: []string{"a"}, Labels: []string{"b"}, Made: []string{"d", "e"}},
		},
		{
			name: "comment",
			expr: "a # b{c=\"d\"}\n + e{f=\"#\"}",
			want: Names{Metrics: []string{"a", "e"}, Labels: []string{"f"}},
		},
		{
			name: "name as a label",
			expr: `{__name__=~"a"}`,
			want: Names{Labels: []string{"__name__"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Query{Expr: tt.expr}.Names()); diff != "" {
				t.Errorf("unexpected names (-want +got):\n%s", diff)
			}
		})
	}
}
