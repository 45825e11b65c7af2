// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

const module = "testdata/module"

// TestRunLikeGoTest compares the output with that of go test.
func TestRunLikeGoTest(t *testing.T) {
	goTool := kerneltest.Require(t, "go")
	// One package at a time, as go test and go test -json differ in the order of packages.
	for _, name := range []string{"pass", "fail", "panic", "none", "build", "missing"} {
		t.Run(name, func(t *testing.T) {
			var wantOut, wantErr, gotOut bytes.Buffer
			gotErr := tempFile(t)
			plain := exec.Command(goTool, "test", "./"+name)
			plain.Dir, plain.Stdout, plain.Stderr = module, &wantOut, &wantErr
			_ = plain.Run()

			status, err := run([]string{module}, []string{goTool, "test", "-json", "./" + name}, &gotOut, gotErr)
			if err != nil {
				t.Fatal(err)
			}
			if want := plain.ProcessState.ExitCode(); status != want {
				t.Errorf("unexpected exit status: got %d, want %d", status, want)
			}
			if diff := cmp.Diff(normalize(wantOut.String()), normalize(withoutSummary(gotOut.String()))); diff != "" {
				t.Errorf("unexpected standard output (-go test +got):\n%s", diff)
			}
			if diff := cmp.Diff(normalize(wantErr.String()), normalize(read(t, gotErr))); diff != "" {
				t.Errorf("unexpected standard error (-go test +got):\n%s", diff)
			}
		})
	}
}

func tempFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func read(t *testing.T, file *os.File) string {
	t.Helper()
	content, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// normalize returns the lines of a text without what differs from run to run, such as times and addresses.
func normalize(text string) []string {
	text = regexp.MustCompile(`\d+\.\d+s|\(cached\)|goroutine \d+|0x[0-9a-f]+\??`).ReplaceAllString(text, "*")
	return slices.Collect(strings.Lines(text))
}

var summaryLine = regexp.MustCompile(`(?m)^\d+ skipped.*\n`)

func withoutSummary(text string) string { return summaryLine.ReplaceAllString(text, "") }

func TestRunSummary(t *testing.T) {
	goTool := kerneltest.Require(t, "go")
	tests := []struct {
		name       string
		dirs       []string
		packages   []string
		want       string
		wantStatus int
	}{
		{name: "no tests", dirs: []string{module}, packages: []string{"./none"}, want: "0 skipped\n"},
		{
			name: "pass", dirs: []string{module}, packages: []string{"./pass"},
			want: "1 skipped: needs root\n1 skipped: without a reason\n",
		},
		{
			name: "fail", dirs: []string{module}, packages: []string{"./fail", "./pass"},
			want: "2 skipped: needs root\n1 skipped: without a reason\n", wantStatus: 1,
		},
		{
			name: "two folders, the first fails", dirs: []string{"testdata", module}, packages: []string{"./pass"},
			want: "1 skipped: needs root\n1 skipped: without a reason\n", wantStatus: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			status, err := run(tt.dirs, append([]string{goTool, "test", "-json"}, tt.packages...), &out, tempFile(t))
			if err != nil {
				t.Fatal(err)
			}
			if status != tt.wantStatus {
				t.Errorf("unexpected exit status: got %d, want %d", status, tt.wantStatus)
			}
			got := strings.Join(summaryLine.FindAllString(out.String(), -1), "")
			if diff := cmp.Diff(tt.want, got); diff != "" || !strings.HasSuffix(out.String(), tt.want) {
				t.Errorf("unexpected summary (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	for name, tt := range map[string]struct{ dir, command string }{
		"no folder":  {dir: "no-such-folder", command: "true"},
		"no command": {dir: ".", command: "no-such-command"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, err := run([]string{tt.dir}, []string{tt.command}, t.Output(), tempFile(t)); err == nil {
				t.Errorf("got status %d, want an error", status)
			}
		})
	}
}

// TestRunKilled checks that a command counts as failed when a signal ends it.
func TestRunKilled(t *testing.T) {
	shell := kerneltest.Require(t, "sh")
	status, err := run([]string{"."}, []string{shell, "-c", "kill -KILL $$"}, t.Output(), tempFile(t))
	if status != 1 || err != nil {
		t.Errorf("got status %d, error %v, want status 1", status, err)
	}
}
