// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

func TestRunRefusesFlags(t *testing.T) {
	const sizes = ", written like 128, 128B or 64KiB"
	const paths = "must be / or a path like /metrics, of letters, digits and -._~ between single slashes, outside /-/"

	inUse, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inUse.Close() })
	address := inUse.Addr().String()

	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	invalid := filepath.Join(dir, "invalid.yml")
	if err := os.WriteFile(invalid, []byte("tls_server: {}\nrate_limits: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name string
		args []string
		want string // what is on stderr, after the program's name
	}{
		{name: "group no number", args: []string{"--nflog.group=all"}, want: `--nflog.group="all": must be a number from 0 to 65535`},
		{name: "group empty", args: []string{"--nflog.group="}, want: `--nflog.group="": must be a number from 0 to 65535`},
		{name: "group too large", args: []string{"--nflog.group", "65536"}, want: `--nflog.group="65536": must be a number from 0 to 65535`},
		{name: "group negative", args: []string{"--nflog.group=-1"}, want: `--nflog.group="-1": must be a number from 0 to 65535`},
		{name: "group list", args: []string{"--nflog.group=1,2"}, want: `--nflog.group="1,2": must be a number from 0 to 65535`},
		{name: "group over several lines", args: []string{"--nflog.group=1\n2"}, want: `--nflog.group="1\n2": must be a number from 0 to 65535`},
		{name: "group beyond 64 bits", args: []string{"--nflog.group=18446744073709551717"}, want: `--nflog.group="18446744073709551717": must be a number from 0 to 65535`},
		{name: "second group", args: []string{"--nflog.group=5", "--nflog.group=x"}, want: `--nflog.group="x": must be a number from 0 to 65535`},
		{name: "duplicate group", args: []string{"--nflog.group=5", "--nflog.group=6", "--nflog.group=05"}, want: `--nflog.group="05": must not be given more than once`},

		{name: "copy range zero", args: []string{"--nflog.copy-range=0"}, want: `--nflog.copy-range="0": must be 1B to 65531B` + sizes},
		{name: "copy range too large", args: []string{"--nflog.copy-range=64KiB"}, want: `--nflog.copy-range="64KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with unknown unit", args: []string{"--nflog.copy-range=1kB"}, want: `--nflog.copy-range="1kB": must be 1B to 65531B` + sizes},
		{name: "copy range with unit alone", args: []string{"--nflog.copy-range=KiB"}, want: `--nflog.copy-range="KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with fraction", args: []string{"--nflog.copy-range=1.5KiB"}, want: `--nflog.copy-range="1.5KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with half a unit", args: []string{"--nflog.copy-range=1Ki"}, want: `--nflog.copy-range="1Ki": must be 1B to 65531B` + sizes},

		{name: "queue threshold zero", args: []string{"--nflog.queue-threshold=0"}, want: `--nflog.queue-threshold="0": must be a number from 1 to 65535`},
		{name: "queue threshold too large", args: []string{"--nflog.queue-threshold=65536"}, want: `--nflog.queue-threshold="65536": must be a number from 1 to 65535`},

		{name: "queue timeout without unit", args: []string{"--nflog.queue-timeout=500"}, want: `--nflog.queue-timeout="500": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout zero", args: []string{"--nflog.queue-timeout=0s"}, want: `--nflog.queue-timeout="0s": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout between steps", args: []string{"--nflog.queue-timeout=15ms"}, want: `--nflog.queue-timeout="15ms": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout negative", args: []string{"--nflog.queue-timeout=-10ms"}, want: `--nflog.queue-timeout="-10ms": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout too long", args: []string{"--nflog.queue-timeout=61m"}, want: `--nflog.queue-timeout="61m": must be a multiple of 10ms from 10ms to 1h0m0s`},

		{name: "batch buffer too small", args: []string{"--nflog.batch-buffer=3775"}, want: `--nflog.batch-buffer="3775": must be 3776B to 128KiB` + sizes},
		{name: "batch buffer too large", args: []string{"--nflog.batch-buffer=131073B"}, want: `--nflog.batch-buffer="131073B": must be 3776B to 128KiB` + sizes},

		{name: "socket buffer too small", args: []string{"--nflog.socket-buffer=4095B"}, want: `--nflog.socket-buffer="4095B": must be 4KiB to 1GiB` + sizes},
		{name: "socket buffer too large", args: []string{"--nflog.socket-buffer=2GiB"}, want: `--nflog.socket-buffer="2GiB": must be 4KiB to 1GiB` + sizes},
		{name: "socket buffer far too large", args: []string{"--nflog.socket-buffer=17179869184GiB"}, want: `--nflog.socket-buffer="17179869184GiB": must be 4KiB to 1GiB` + sizes},

		{
			name: "listen address in use",
			args: []string{"--web.listen-address=" + address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use`,
		},
		{
			name: "second listen address in use",
			args: []string{"--web.listen-address=127.0.0.1:0", "--web.listen-address=" + address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use`,
		},
		{
			name: "listen address without port",
			args: []string{"--web.listen-address=localhost"},
			want: `--web.listen-address="localhost": must be HOST:PORT or :PORT of this host, not in use: listen tcp: address localhost: missing port in address`,
		},
		{
			name: "listen address with bad port",
			args: []string{"--web.listen-address=:65536"},
			want: `--web.listen-address=":65536": must be HOST:PORT or :PORT of this host, not in use: listen tcp: address 65536: invalid port`,
		},
		{
			name: "listen address empty",
			args: []string{"--web.listen-address="},
			want: `--web.listen-address="": must be HOST:PORT or :PORT of this host, not in use: empty address`,
		},
		{
			name: "listen address vsock",
			args: []string{"--web.listen-address=vsock://:10100"},
			want: `--web.listen-address="vsock://:10100": must be HOST:PORT or :PORT of this host, not in use: vsock is not supported`,
		},
		{
			name: "web configuration missing",
			args: []string{"--web.config.file=" + missing},
			want: `--web.config.file="` + missing + `": must be a valid web configuration file: open ` + missing + `: no such file or directory`,
		},
		{
			name: "web configuration invalid",
			args: []string{"--web.config.file=" + invalid},
			want: `--web.config.file="` + invalid + `": must be a valid web configuration file: yaml: unmarshal errors: line 1: field tls_server not found in type web.Config line 2: field rate_limits not found in type web.Config`,
		},
		{
			name: "web configuration a directory",
			args: []string{"--web.config.file=" + dir},
			want: `--web.config.file="` + dir + `": must be a valid web configuration file: read ` + dir + `: is a directory`,
		},

		{name: "telemetry path empty", args: []string{"--web.telemetry-path="}, want: `--web.telemetry-path="": ` + paths},
		{name: "telemetry path relative", args: []string{"--web.telemetry-path=metrics"}, want: `--web.telemetry-path="metrics": ` + paths},
		{name: "telemetry path healthy", args: []string{"--web.telemetry-path=/-/healthy"}, want: `--web.telemetry-path="/-/healthy": ` + paths},
		{name: "telemetry path ready", args: []string{"--web.telemetry-path=/-/ready/"}, want: `--web.telemetry-path="/-/ready/": ` + paths},
		{name: "telemetry path with parent", args: []string{"--web.telemetry-path=/a/../-/ready"}, want: `--web.telemetry-path="/a/../-/ready": ` + paths},
		{name: "telemetry path with two slashes", args: []string{"--web.telemetry-path=//metrics"}, want: `--web.telemetry-path="//metrics": ` + paths},
		{name: "telemetry path of dots", args: []string{"--web.telemetry-path=/."}, want: `--web.telemetry-path="/.": ` + paths},
		{name: "telemetry path with wildcard", args: []string{"--web.telemetry-path=/{a}"}, want: `--web.telemetry-path="/{a}": ` + paths},
		{name: "telemetry path with space", args: []string{"--web.telemetry-path=/a b"}, want: `--web.telemetry-path="/a b": ` + paths},

		{name: "max requests negative", args: []string{"--web.max-requests=-1"}, want: `--web.max-requests="-1": must be a number from 0 to 1000000`},
		{name: "max requests no number", args: []string{"--web.max-requests=many"}, want: `--web.max-requests="many": must be a number from 0 to 1000000`},

		{name: "exporter metrics with value", args: []string{"--web.disable-exporter-metrics=true"}, want: `--web.disable-exporter-metrics="true": must be given without a value`},
		{name: "negated with value", args: []string{"--no-web.disable-exporter-metrics=x"}, want: `--no-web.disable-exporter-metrics="x": must be given without a value`},
		{name: "version with value", args: []string{"--version=2"}, want: `--version="2": must be given without a value`},
		{name: "help with value", args: []string{"--help=all"}, want: `--help="all": must be given without a value`},

		{name: "log level unknown", args: []string{"--log.level=trace"}, want: `--log.level="trace": must be one of debug, info, warn, error`},
		{name: "log level in capitals", args: []string{"--log.level=INFO"}, want: `--log.level="INFO": must be one of debug, info, warn, error`},
		{name: "log format unknown", args: []string{"--log.format=text"}, want: `--log.format="text": must be one of logfmt, json`},

		{name: "unknown flag", args: []string{"--nflog.groups=1"}, want: `unknown long flag '--nflog.groups', try --help`},
		{name: "unknown flag over several lines", args: []string{"--a\nb"}, want: `unknown long flag '--a b', try --help`},
		{name: "unknown short flag", args: []string{"-g", "1"}, want: `unknown short flag '-g', try --help`},
		{name: "flag without value", args: []string{"--nflog.group"}, want: `expected argument for flag '--nflog.group', try --help`},
		{name: "flag before flag", args: []string{"--nflog.group", "--log.level=info"}, want: `expected argument for flag '--nflog.group', try --help`},
		{name: "repeated flag", args: []string{"--log.level=info", "--log.level=debug"}, want: `flag 'log.level' cannot be repeated, try --help`},
		{name: "argument", args: []string{"100"}, want: `unexpected 100, try --help`},
		{name: "argument after dashes", args: []string{"--", "--version=1"}, want: `unexpected --version=1, try --help`},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests, []struct {
			name string
			args []string
			want string
		}{
			{name: "socket activation with value", args: []string{"--web.systemd-socket=yes"}, want: `--web.systemd-socket="yes": must be given without a value`},
			{name: "socket activation without socket", args: []string{"--web.systemd-socket"}, want: `--web.systemd-socket: systemd passed no socket: the service must be started by a socket unit`},
		}...)
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got, want := run(t.Context(), tt.args, &stdout, &stderr), 1; got != want {
				t.Errorf("unexpected exit status: got %d, want %d", got, want)
			}
			if diff := cmp.Diff("nflog_exporter: error: "+tt.want+"\n", stderr.String()); diff != "" {
				t.Errorf("unexpected stderr (-want +got):\n%s", diff)
			}
			if stdout.Len() != 0 {
				t.Errorf("unexpected stdout: %q", stdout.String())
			}
		})
	}

	t.Run("every flag is among these", func(t *testing.T) {
		for _, name := range visibleFlags() {
			found := false
			for _, tt := range tests {
				found = found || strings.HasPrefix(tt.want, "--"+name+"=")
			}
			if !found {
				t.Errorf("no bad value of --%s", name)
			}
		}
	})
}

// visibleFlags returns the names of the flags that help lists, in its order.
func visibleFlags() []string {
	app, _ := newApp()
	var names []string
	for _, f := range app.Model().Flags {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	return names
}

func TestParseFlags(t *testing.T) {
	defaults := func() *options {
		return &options{
			groups: []uint16{100},
			settings: collector.GroupConfig{
				CopyRange:      128,
				QueueThreshold: 65535,
				QueueTimeout:   500 * time.Millisecond,
				BatchBuffer:    131072,
				SocketBuffer:   16 << 20,
			},
			web: webOptions{
				toolkit: &web.FlagConfig{
					WebListenAddresses: &[]string{":10100"},
					WebSystemdSocket:   new(bool),
					WebConfigFile:      new(string),
				},
				telemetryPath: "/metrics",
				maxRequests:   40,
			},
			logLevel:  "info",
			logFormat: "logfmt",
		}
	}

	tests := []struct {
		name string
		args []string
		want func(*options)
	}{
		{name: "none", want: func(*options) {}},
		{
			name: "all",
			args: []string{
				"--nflog.group=0", "--nflog.group", "65535",
				"--nflog.copy-range=96", "--nflog.queue-threshold=1", "--nflog.queue-timeout=1h",
				"--nflog.batch-buffer=64KiB", "--nflog.socket-buffer=1GiB",
				"--web.listen-address=:1", "--web.listen-address=[::1]:2",
				"--web.telemetry-path=/", "--web.disable-exporter-metrics", "--web.max-requests=0",
				"--log.level=debug", "--log.format=json",
			},
			want: func(o *options) {
				o.groups = []uint16{0, 65535}
				o.settings = collector.GroupConfig{
					CopyRange:      96,
					QueueThreshold: 1,
					QueueTimeout:   time.Hour,
					BatchBuffer:    65536,
					SocketBuffer:   1 << 30,
				}
				o.web.toolkit.WebListenAddresses = &[]string{":1", "[::1]:2"}
				o.web.telemetryPath = "/"
				o.web.disableExporterMetrics = true
				o.web.maxRequests = 0
				o.logLevel, o.logFormat = "debug", "json"
			},
		},
		{
			name: "limits",
			args: []string{
				"--nflog.copy-range=1B", "--nflog.queue-timeout=10ms",
				"--nflog.batch-buffer=3776", "--nflog.socket-buffer=4096",
				"--web.telemetry-path=/a-b/c_d/~e.f/",
			},
			want: func(o *options) {
				o.settings.CopyRange = 1
				o.settings.QueueTimeout = 10 * time.Millisecond
				o.settings.BatchBuffer = 3776
				o.settings.SocketBuffer = 4096
				o.web.telemetryPath = "/a-b/c_d/~e.f/"
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			got, done, err := parseFlags(tt.args, &stdout)
			if err != nil {
				t.Fatal(err)
			}
			if done || stdout.Len() != 0 {
				t.Errorf("unexpected end: done %v, stdout %q", done, stdout.String())
			}
			want := defaults()
			tt.want(want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{}, webOptions{})); diff != "" {
				t.Errorf("unexpected options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollectorConfig(t *testing.T) {
	o, _, err := parseFlags([]string{"--nflog.group=5", "--nflog.group=3", "--nflog.copy-range=64"}, nil)
	if err != nil {
		t.Fatal(err)
	}

	group := collector.GroupConfig{
		Group:          5,
		CopyRange:      64,
		QueueThreshold: 65535,
		QueueTimeout:   500 * time.Millisecond,
		BatchBuffer:    131072,
		SocketBuffer:   16 << 20,
	}
	want := []collector.GroupConfig{group, group}
	want[1].Group = 3
	if diff := cmp.Diff(want, o.collectorConfig(nil).Groups); diff != "" {
		t.Errorf("unexpected groups (-want +got):\n%s", diff)
	}
}

func TestRunHelp(t *testing.T) {
	want := []string{
		"help", "version",
		"nflog.group", "nflog.copy-range", "nflog.queue-threshold", "nflog.queue-timeout",
		"nflog.batch-buffer", "nflog.socket-buffer",
		"web.systemd-socket", "web.listen-address", "web.config.file",
		"web.telemetry-path", "web.disable-exporter-metrics", "web.max-requests",
		"log.level", "log.format",
	}
	if runtime.GOOS != "linux" {
		want = slices.DeleteFunc(want, func(name string) bool { return name == "web.systemd-socket" })
	}
	if diff := cmp.Diff(want, visibleFlags()); diff != "" {
		t.Errorf("unexpected flags (-want +got):\n%s", diff)
	}

	for _, args := range [][]string{
		{"--help"},
		{"-h"},
		{"--nflog.group=x", "--help", "--help"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			stdout := runAndEnd(t, args)
			var got []string
			for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--(?:\[no-\])?([\w.-]+)`).FindAllStringSubmatch(stdout, -1) {
				got = append(got, m[1])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected flags in help (-want +got):\n%s", diff)
			}
			for _, def := range []string{
				"--nflog.group=100 ...", "--nflog.copy-range=128B", "--nflog.queue-threshold=65535", "--nflog.queue-timeout=500ms",
				"--nflog.batch-buffer=128KiB", "--nflog.socket-buffer=16MiB", "--web.listen-address=:10100 ...",
				"--web.telemetry-path=/metrics", "--web.max-requests=40", "--log.level=info", "--log.format=logfmt",
			} {
				if !strings.Contains(stdout, def) {
					t.Errorf("no %q in help", def)
				}
			}
		})
	}
}

func TestRunVersion(t *testing.T) {
	for _, args := range [][]string{
		{"--version"},
		{"--nflog.group=x", "--version"},
		{"--help", "--version", "--version"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			stdout := runAndEnd(t, args)
			if got := strings.Count(stdout, "nflog_exporter, version "); got != 1 || !strings.HasPrefix(stdout, "nflog_exporter, version ") {
				t.Errorf("unexpected stdout: %q", stdout)
			}
		})
	}
}

// runAndEnd runs what ends without an error by itself, and returns its output.
func runAndEnd(t *testing.T, args []string) string {
	t.Helper()

	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), args, &stdout, &stderr); got != 0 || stderr.Len() != 0 {
		t.Errorf("unexpected exit status %d, stderr %q", got, stderr.String())
	}
	return stdout.String()
}
