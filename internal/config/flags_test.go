// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
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

func TestParse(t *testing.T) {
	defaults := func() *Options {
		return &Options{
			groups: []uint16{100},
			netns:  []string{""}, maxNetNS: 100,
			settings: collector.GroupConfig{
				CopyRange:      128,
				QueueThreshold: 65535,
				QueueTimeout:   500 * time.Millisecond,
				BatchBuffer:    131072,
				SocketBuffer:   16 << 20,
			},
			collector: defaultCollectorConfig(),
			Web: Web{
				Toolkit: &web.FlagConfig{
					WebListenAddresses: &[]string{":10100"},
					WebSystemdSocket:   new(bool),
					WebConfigFile:      new(string),
				},
				TelemetryPath: "/metrics",
				MaxRequests:   40,
			},
			LogLevel:  "info",
			LogFormat: "logfmt",
		}
	}

	tests := []struct {
		name string
		args []string
		want func(*Options)
	}{
		{name: "none", want: func(*Options) {}},
		{
			name: "all",
			args: []string{
				"--nflog.group=0", "--nflog.group", "65535",
				"--nflog.netns=blue", "--nflog.netns=own", "--nflog.netns", "/proc/1/ns/net",
				"--nflog.copy-range=96", "--nflog.queue-threshold=1", "--nflog.queue-timeout=1h",
				"--nflog.batch-buffer=64KiB", "--nflog.socket-buffer=1GiB",
				"--web.listen-address=:1", "--web.listen-address=[::1]:2",
				"--collector.labels=prefix", "--config.file=/etc/nflog.yml", "--config.check",
				"--web.telemetry-path=/", "--web.disable-exporter-metrics", "--web.enable-lifecycle", "--web.max-requests=0",
				"--log.level=debug", "--log.format=json",
				"--config.check-prefix=a b ", "--config.check-prefix=", "--config.check-interface=eth0",
			},
			want: func(o *Options) {
				o.groups, o.groupsSet = []uint16{0, 65535}, true
				o.netns = []string{"blue", "", "/proc/1/ns/net"}
				o.settings = collector.GroupConfig{
					CopyRange:      96,
					QueueThreshold: 1,
					QueueTimeout:   time.Hour,
					BatchBuffer:    65536,
					SocketBuffer:   1 << 30,
				}
				o.Web.Toolkit.WebListenAddresses = &[]string{":1", "[::1]:2"}
				o.Web.TelemetryPath = "/"
				o.collector.Labels = []string{"prefix"}
				o.ConfigFile, o.ConfigCheck = "/etc/nflog.yml", true
				o.checkPrefixes, o.checkInterfaces = []string{"a b ", ""}, []string{"eth0"}
				o.Web.DisableExporterMetrics = true
				o.Web.EnableLifecycle = true
				o.Web.MaxRequests = 0
				o.LogLevel, o.LogFormat = "debug", "json"
			},
		},
		{
			name: "check of a prefix",
			args: []string{"--config.check-prefix=a"},
			want: func(o *Options) { o.ConfigCheck, o.checkPrefixes = true, []string{"a"} },
		},
		{
			name: "check of an interface",
			args: []string{"--config.check-interface=a"},
			want: func(o *Options) { o.ConfigCheck, o.checkInterfaces = true, []string{"a"} },
		},
		{
			name: "limits",
			args: []string{
				"--nflog.copy-range=1B", "--nflog.queue-timeout=10ms",
				"--nflog.batch-buffer=3776", "--nflog.socket-buffer=4096",
				"--web.telemetry-path=/a-b/c_d/~e.f/",
			},
			want: func(o *Options) {
				o.settings.CopyRange = 1
				o.settings.QueueTimeout = 10 * time.Millisecond
				o.settings.BatchBuffer = 3776
				o.settings.SocketBuffer = 4096
				o.Web.TelemetryPath = "/a-b/c_d/~e.f/"
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			got, done, err := Parse(tt.args, &stdout)
			if err != nil {
				t.Fatal(err)
			}
			if done || stdout.Len() != 0 {
				t.Errorf("unexpected end: done %v, stdout %q", done, stdout.String())
			}
			want := defaults()
			tt.want(want)
			got.inForce = nil // see TestSettings
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Options{}), comparePatterns()); diff != "" {
				t.Errorf("unexpected options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseHelp(t *testing.T) {
	want := []string{
		"help", "version",
		"nflog.group", "nflog.netns", "nflog.max-netns", "nflog.copy-range", "nflog.queue-threshold", "nflog.queue-timeout",
		"nflog.batch-buffer", "nflog.socket-buffer",
		"collector.labels", "collector.protocols", "collector.mark-mask", "collector.destination-ports", "collector.top-sources",
		"collector.top-sources-network-length", "collector.interface-pattern",
		"collector.packet-size", "collector.histogram-labels", "collector.packet-size-buckets",
		"collector.ruleset", "collector.max-label-sets", "collector.idle-timeout", "collector.deleted-interface-timeout",
		"config.file", "config.reload-interval", "config.check", "config.check-prefix", "config.check-interface",
		"web.systemd-socket", "web.listen-address", "web.config.file",
		"web.telemetry-path", "web.disable-exporter-metrics", "web.enable-lifecycle", "web.max-requests",
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
			stdout := parseAndEnd(t, args)
			var got []string
			for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--(?:\[no-\])?([\w.-]+)`).FindAllStringSubmatch(stdout, -1) {
				got = append(got, m[1])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected flags in help (-want +got):\n%s", diff)
			}
			for _, def := range []string{
				"--nflog.group=100 ...", "--nflog.netns=own ...", "--nflog.max-netns=100", "--nflog.copy-range=128B", "--nflog.queue-threshold=65535", "--nflog.queue-timeout=500ms",
				"--nflog.batch-buffer=128KiB", "--nflog.socket-buffer=16MiB", "--web.listen-address=:10100 ...",
				"--collector.labels=group,prefix,family,hook,in_interface,out_interface,protocol", "--collector.mark-mask=0xffffffff",
				"--collector.interface-pattern=REGEXP=REPLACEMENT ...", "--[no-]collector.packet-size", "--collector.histogram-labels=LABEL,...",
				"--collector.packet-size-buckets=64,128,256,512,1024,1500,9000,65535", "--[no-]collector.ruleset", "--collector.max-label-sets=2000",
				"--collector.idle-timeout=0s", "--collector.deleted-interface-timeout=10m", "--config.file=CONFIG.FILE", "--config.reload-interval=0s",
				"--config.check-prefix=PREFIX ...", "--config.check-interface=NAME ...",
				"--web.telemetry-path=/metrics", "--web.max-requests=40", "--log.level=info", "--log.format=logfmt",
			} {
				if !strings.Contains(stdout, def) {
					t.Errorf("no %q in help", def)
				}
			}
		})
	}
}

func TestParseVersion(t *testing.T) {
	for _, args := range [][]string{
		{"--version"},
		{"--nflog.group=x", "--version"},
		{"--help", "--version", "--version"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			stdout := parseAndEnd(t, args)
			if got := strings.Count(stdout, "nflog_exporter, version "); got != 1 || !strings.HasPrefix(stdout, "nflog_exporter, version ") {
				t.Errorf("unexpected stdout: %q", stdout)
			}
		})
	}
}

// parseAndEnd parses a command line that only asks for output, and returns the output.
func parseAndEnd(t *testing.T, args []string) string {
	t.Helper()
	var stdout bytes.Buffer
	if o, done, err := Parse(args, &stdout); o != nil || !done || err != nil {
		t.Errorf("unexpected result: %v, done %v, error %v", o, done, err)
	}
	return stdout.String()
}
