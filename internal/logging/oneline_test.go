// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import "testing"

func TestOneLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "empty"},
		{name: "one", in: "a  b", want: "a  b"},
		{name: "several", in: "errors:\n  line 1\r\n\tline 2\n", want: "errors: line 1 line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := OneLine(tt.in); got != tt.want {
				t.Errorf("unexpected line: got %q, want %q", got, tt.want)
			}
		})
	}
}
