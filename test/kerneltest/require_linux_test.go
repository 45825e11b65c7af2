// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest_test

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// An outcome is the result of a test.
type outcome struct {
	Failed, Skipped bool
	Message         string
}

// A recorder takes the place of a test and records its outcome.
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

// record runs fn as a test and returns the outcome.
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

// setShort sets or clears -short until the test ends.
func setShort(t *testing.T, short bool) {
	t.Helper()
	before := testing.Short()
	set := func(value bool) {
		if err := flag.Set("test.short", strconv.FormatBool(value)); err != nil {
			t.Fatal(err)
		}
	}
	set(short)
	t.Cleanup(func() { set(before) })
}

func TestRequire(t *testing.T) {
	const missing = `exec: "no-such-program": executable file not found in $PATH`
	tests := []struct {
		name   string
		ci     string
		short  bool
		binary string
		want   outcome
	}{
		{name: "there", binary: "sh"},
		{name: "there, in CI", ci: "true", binary: "sh"},
		{
			name:   "short, in CI",
			ci:     "true",
			short:  true,
			binary: "no-such-program",
			want:   outcome{Skipped: true, Message: "left out by -short: runs other programs"},
		},
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
			setShort(t, tt.short)
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

func TestSkipKernel(t *testing.T) {
	tests := []struct {
		name, complete string
		want           outcome
	}{
		{name: "any kernel", want: outcome{Skipped: true, Message: "left to .ci/kernels: the kernel has no bonds"}},
		{name: "complete kernel", complete: "true", want: outcome{Failed: true, Message: "the kernel must have bonds"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CI", "true")
			t.Setenv("NFLOG_KERNELTEST_COMPLETE", tt.complete)
			got := record(func(tb testing.TB) { kerneltest.SkipKernel(tb, "bonds") })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNSShort(t *testing.T) {
	setShort(t, true)
	got := record(func(tb testing.TB) { kerneltest.NS(tb) })
	want := outcome{Skipped: true, Message: "left out by -short: uses the kernel's netfilter"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected outcome (-want +got):\n%s", diff)
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
	want := outcome{Failed: true, Message: "still failing after 1ms: never"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected outcome (-want +got):\n%s", diff)
	}
}

// TestEventuallyAsksLess checks that a condition that takes long is called some ten times a second.
func TestEventuallyAsksLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		record(func(tb testing.TB) {
			kerneltest.Eventually(tb, 10*time.Second, func() error {
				calls++
				return errors.New("never")
			})
		})
		if calls < 100 || calls > 120 {
			t.Errorf("unexpected number of calls in ten seconds: %d", calls)
		}
	})
}
