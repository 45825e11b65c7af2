// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/internal/logging"
)

// writeFile returns the path of a file that holds text.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRunRefuses checks that each reason not to start is a line on stderr, and so is each mistake in a configuration file.
func TestRunRefuses(t *testing.T) {
	inUse, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inUse.Close()
	address := inUse.Addr().String()
	badConfig := "--config.file=" + writeFile(t, "groups:\n- group: 1\n  timeout: 1s\n- group: 01\nprefix_rules: [{match: 'fw ('}]\n")
	mistakes := []string{
		`FILE:3:3: "timeout": must be one of group, copy_range, queue_threshold, queue_timeout, batch_buffer, socket_buffer`,
		`FILE:4:10: group="01": must not be given more than once`,
		`FILE:5:24: match="fw (": must be a regular expression in RE2's syntax: missing closing ): "fw ("`,
	}

	tests := []struct {
		name string
		args []string
		want []string // FILE stands for the path of the last flag
	}{
		{name: "value", args: []string{"--nflog.group=all"}, want: []string{`--nflog.group="all": must be a number from 0 to 65535`}},
		{name: "unknown flag over several lines", args: []string{"--a\nb"}, want: []string{`unknown long flag '--a b', try --help`}},
		{
			name: "web configuration with several mistakes",
			args: []string{"--web.config.file=" + writeFile(t, "tls_server: {}\nrate_limits: {}\n")},
			want: []string{`--web.config.file="FILE": must be a valid web configuration file: yaml: unmarshal errors: ` +
				`line 1: field tls_server not found in type web.Config line 2: field rate_limits not found in type web.Config`},
		},
		{name: "mistakes in the configuration file", args: []string{badConfig}, want: mistakes},
		{name: "mistakes found by a check", args: []string{"--config.check", badConfig}, want: mistakes},
		{
			name: "listen address in use",
			args: []string{"--web.listen-address=127.0.0.1:0", "--web.listen-address=" + address},
			want: []string{`--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use` + holder()},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got, want := run(t.Context(), nil, tt.args, &stdout, &stderr), 1; got != want {
				t.Errorf("unexpected exit status: got %d, want %d", got, want)
			}
			_, path, _ := strings.Cut(tt.args[len(tt.args)-1], "=")
			var want strings.Builder
			for _, line := range tt.want {
				want.WriteString("nflog_exporter: error: " + strings.ReplaceAll(line, "FILE", path) + "\n")
			}
			if diff := cmp.Diff(want.String(), stderr.String()); diff != "" {
				t.Errorf("unexpected stderr (-want +got):\n%s", diff)
			}
			if stdout.Len() != 0 {
				t.Errorf("unexpected stdout: %q", stdout.String())
			}
		})
	}
}

// holder returns how an error names this process as the one that holds a port.
func holder() string {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return ": ss -ltnp shows by whom, as root"
	}
	return fmt.Sprintf(": held by %s (PID %d)", strings.TrimSpace(string(comm)), os.Getpid())
}

// TestRunEnds has command lines that only ask for output.
func TestRunEnds(t *testing.T) {
	const checked = "flags and configuration file are valid\n"
	path := writeFile(t, "prefix_rules:\n  - match: '(?P<node>\\w+)'\n    labels: {pod: a, kind: b}\n")
	warnings := path + `:2:12: label "node": is often set by scrape configurations, then Prometheus stores it as exported_node (warning)
` + path + `:3:14: label "pod": is often set by scrape configurations, then Prometheus stores it as exported_pod (warning)
`
	tried := writeFile(t, "prefix_rules:\n  - match: 'fw (?P<zone>\\w+) .*'\n    labels: {kind: fw}\n    prefix: 'fw ${zone}'\n  - preset: k3s\n")
	tests := []struct {
		name string
		args []string
		want string // what stdout begins with
	}{
		{name: "help", args: []string{"--help"}, want: "usage: nflog_exporter [<flags>]\n"},
		{name: "version", args: []string{"--version"}, want: "nflog_exporter, version "},
		{name: "check", args: []string{"--config.check"}, want: checked},
		{name: "check with warnings", args: []string{"--config.check", "--config.file=" + path}, want: warnings + checked},
		{
			name: "check of prefixes and interfaces",
			args: []string{
				"--config.file=" + tried, "--collector.interface-pattern=veth.*=pod", "--collector.interface-pattern=eth *=x",
				"--config.check-prefix=fw wan drop ", "--config.check-prefix=DROP by policy a/b", "--config.check-prefix=\x1b", "--config.check-prefix=",
				"--config.check-interface=veth1", "--config.check-interface=eth0",
			},
			want: `--collector.interface-pattern="eth *=x": * repeats the character before it: write .* for any text (warning)
prefix "fw wan drop ": the rule with match="fw (?P<zone>\\w+) .*" applies: prefix="fw wan", kind="fw", zone="wan"
prefix "DROP by policy a/b": the rule with match="DROP by policy (?P<policy_namespace>[a-z0-9-]+)/(?P<policy>[a-z0-9.-]+)" applies: prefix="DROP by policy a/b", policy="b", policy_namespace="a"
prefix "\x1b": no rule matches: prefix="\\x1b"
prefix "": no rule matches: prefix=""
interface "veth1": the pattern "veth.*=pod" applies: "pod"
interface "eth0": no pattern matches: "eth0"
` + checked,
		},
		{name: "check of an interface alone", args: []string{"--config.check-interface=lo"}, want: `interface "lo": no pattern matches: "lo"` + "\n" + checked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), nil, tt.args, &stdout, &stderr); got != 0 || stderr.Len() != 0 {
				t.Errorf("unexpected exit status %d, stderr %q", got, stderr.String())
			}
			got := stdout.String()
			if !strings.HasPrefix(got, tt.want) || strings.Contains(tt.want, checked) && got != tt.want {
				t.Errorf("unexpected stdout: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRunWarnsBesideMistakes checks that the warnings about a file with mistakes are shown, too.
func TestRunWarnsBesideMistakes(t *testing.T) {
	path := writeFile(t, "prefix_rules: [{match: '(?P<pod>a)'}, {match: '('}]\n")
	for _, args := range [][]string{{"--config.file=" + path}, {"--config.check", "--config.file=" + path}} {
		var out bytes.Buffer
		if got := run(t.Context(), nil, args, &out, &out); got != 1 {
			t.Errorf("%v: unexpected exit status %d", args, got)
		}
		warned := strings.Index(out.String(), `label \"pod\": is often set`) // logged
		if warned < 0 {
			warned = strings.Index(out.String(), `:1:24: label "pod": is often set`)
		}
		if refused := strings.Index(out.String(), ":1:47: match="); warned < 0 || refused < warned {
			t.Errorf("%v: want a warning and a mistake: %s", args, out.String())
		}
	}
}

// TestPrepareWithoutFile checks that without a file nothing can be reloaded.
func TestPrepareWithoutFile(t *testing.T) {
	out := logging.NewQueue(io.Discard)
	defer out.Close(time.Second)
	e, err := prepare([]string{"--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle"}, io.Discard, out)
	if err != nil {
		t.Fatal(err)
	}
	defer e.listeners[0].Close()
	if e.reloader != nil {
		t.Error("there is something to reload")
	}
	res := httptest.NewRecorder()
	e.handler.ServeHTTP(res, httptest.NewRequest(http.MethodPost, "/-/reload", http.NoBody))
	if res.Code != http.StatusNotFound {
		t.Errorf("status %d of a reload, want 404", res.Code)
	}
	res = httptest.NewRecorder()
	e.handler.ServeHTTP(res, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if strings.Contains(res.Body.String(), "config_last_reload") {
		t.Error("there are metrics of reloads")
	}
}

// TestRunEndsWhileItStarts has a standard output that takes nothing, and a signal.
func TestRunEndsWhileItStarts(t *testing.T) {
	stdout := writerFunc(func([]byte) (int, error) {
		select {} // as a pipe that nobody reads
	})
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int)
	go func() { status <- run(ctx, nil, []string{"--help"}, stdout, io.Discard) }()
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("unexpected exit status %d", got)
	}
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestRunWithFullLog checks that the error reaches a slow standard error, and that the end does not wait for one that takes
// nothing.
func TestRunWithFullLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, delay := range []time.Duration{logGrace / 2, time.Hour} {
			var written atomic.Bool
			stderr := writerFunc(func(p []byte) (int, error) {
				time.Sleep(delay)
				written.Store(len(p) > 0)
				return len(p), nil
			})
			start := time.Now()
			if got := run(t.Context(), nil, []string{"--nflog.group=all"}, io.Discard, stderr); got != 1 {
				t.Errorf("unexpected exit status %d", got)
			}
			if got, want := time.Since(start), min(delay, logGrace); got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
			if got, want := written.Load(), delay < logGrace; got != want {
				t.Errorf("after %v the error was written: %v, want %v", delay, got, want)
			}
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestReloadOn(t *testing.T) {
	signals := make(chan os.Signal, 3)
	for range 3 {
		signals <- syscall.SIGHUP
	}
	close(signals)
	times := 0
	reloadOn(signals, func() error {
		times++
		return io.ErrUnexpectedEOF
	})
	if times != 3 {
		t.Errorf("reloaded %d times, want 3", times)
	}
}
