// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// An outcome is what became of a test.
type outcome struct {
	Failed, Skipped bool
	Message         string
}

// A recorder stands for a test and records its outcome.
type recorder struct {
	testing.TB
	outcome outcome
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.outcome = outcome{Failed: true, Message: fmt.Sprintf(format, args...)}
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.outcome = outcome{Skipped: true, Message: fmt.Sprint(args...)}
	runtime.Goexit()
}

// record runs fn as a test of its own.
func record(fn func(testing.TB)) outcome {
	var r recorder
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(&r)
	}()
	<-done
	return r.outcome
}

func TestRequire(t *testing.T) {
	const missing = `exec: "no-such-program": executable file not found in $PATH`
	tests := []struct {
		name   string
		ci     string
		binary string
		want   outcome
	}{
		{name: "there", binary: "sh"},
		{name: "there, in CI", ci: "true", binary: "sh"},
		{name: "missing", binary: "no-such-program", want: outcome{Skipped: true, Message: missing}},
		{
			name:   "missing, in CI",
			ci:     "true",
			binary: "no-such-program",
			want:   outcome{Failed: true, Message: "must not be skipped where CI is set: " + missing},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			got := record(func(tb testing.TB) {
				if kerneltest.Require(tb, tt.binary) == "" {
					t.Error("no path")
				}
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventually(t *testing.T) {
	calls := 0
	got := record(func(tb testing.TB) {
		kerneltest.Eventually(tb, time.Minute, func() error {
			if calls++; calls < 3 {
				return errors.New("not yet")
			}
			return nil
		})
	})
	if diff := cmp.Diff(outcome{}, got); diff != "" || calls != 3 {
		t.Errorf("unexpected outcome after %d calls (-want +got):\n%s", calls, diff)
	}

	got = record(func(tb testing.TB) {
		kerneltest.Eventually(tb, time.Millisecond, func() error { return errors.New("never") })
	})
	want := outcome{Failed: true, Message: "not so after 1ms: never"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected outcome (-want +got):\n%s", diff)
	}
}
