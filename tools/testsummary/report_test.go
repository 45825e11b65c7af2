// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	tests := []struct {
		name, events, want, wantErr string
	}{
		{
			name: "not JSON",
			events: `go: downloading
{"Other":1}
`,
			want: "go: downloading\n{\"Other\":1}\n0 skipped\n",
		},
		{
			name: "build fails",
			events: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"# p [p.test]\n"}
{"ImportPath":"p [p.test]","Action":"build-output","Output":"p_test.go:1:2: wrong\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p [p.test]"}
`,
			want:    "FAIL\tp [build failed]\n0 skipped\n",
			wantErr: "# p [p.test]\np_test.go:1:2: wrong\n",
		},
		{
			name: "two packages at a time",
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"q","Test":"TestA","Output":"    q_test.go:7: needs root\n"}
{"Action":"output","Package":"q","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"q","Test":"TestA"}
{"Action":"output","Package":"q","Output":"PASS\n"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.1s\n"}
{"Action":"pass","Package":"q"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    p_test.go:7: wr"}
{"Action":"output","Package":"p","Test":"TestA","Output":"ong\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`,
			want: "ok  \tq\t0.1s\n--- FAIL: TestA (0.00s)\n    p_test.go:7: wrong\nFAIL\nFAIL\tp\t0.1s\n1 skipped: needs root\n",
		},
		{
			name: "ends in the middle of a test",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    p_test.go:7: last words\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`,
			want: "    p_test.go:7: last words\nFAIL\tp\t0.1s\n0 skipped\n",
		},
		{
			name: "reasons, the most frequent first",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"    p_test.go:7: a\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    p_test.go:8: other log\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    p_test.go:8: b\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"        see x.go:9: c\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC/d/e","Output":"    p_test.go:7: b\n"}
{"Action":"skip","Package":"p","Test":"TestC/d/e"}
{"Action":"skip","Package":"p"}
`,
			want: "2 skipped: b\n1 skipped: a\n",
		},
		{
			name: "left to other kernels",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"    p_test.go:7: left to .ci/kernels: a\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`,
			want: "0 skipped\n1 left to .ci/kernels: a\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			r := newReport(&stdout, &stderr)
			if err := r.read(strings.NewReader(tt.events)); err != nil {
				t.Fatal(err)
			}
			if err := r.summary(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, stdout.String()); diff != "" {
				t.Errorf("unexpected standard output (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantErr, stderr.String()); diff != "" {
				t.Errorf("unexpected standard error (-want +got):\n%s", diff)
			}
		})
	}
}
