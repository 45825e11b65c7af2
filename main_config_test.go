// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// configFile returns the path of a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nflog.yml")
	writeConfigFile(t, path, text)
	return path
}

// writeConfigFile writes a configuration file as those do who care: it is the old one or the new one at all times.
func writeConfigFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// configFileRefusals are about configuration files that can't be read. Of others, run tells the mistakes.
func configFileRefusals(t *testing.T) []refusal {
	t.Helper()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	large := configFile(t, "#"+strings.Repeat("x", maxConfigFile))
	return []refusal{
		{
			name: "configuration missing",
			args: []string{"--config.file=" + missing},
			want: `--config.file="` + missing + `": must be a valid configuration file: open ` + missing + `: no such file or directory`,
		},
		{
			name: "configuration a directory",
			args: []string{"--config.check", "--config.file", dir},
			want: `--config.file="` + dir + `": must be a valid configuration file: read ` + dir + `: is a directory`,
		},
		{
			name: "configuration too large",
			args: []string{"--config.file=" + large},
			want: `--config.file="` + large + `": must be a valid configuration file: ` + large + `: must not be larger than 256KiB`,
		},
		{name: "check with value", args: []string{"--config.check=yes"}, want: `--config.check="yes": must be given without a value`},
		{
			name: "check with a bad flag",
			args: []string{"--config.check", "--collector.max-label-sets=0", "--config.file=" + missing},
			want: `--collector.max-label-sets="0": must be a number from 1 to 1000000`,
		},
	}
}

// goodConfig has all that a file can have, and nothing to warn of.
const goodConfig = `groups:
  - group: 100
    copy_range: 64B
    queue_threshold: 100
    queue_timeout: 10ms
    batch_buffer: 64KiB
    socket_buffer: 1MiB
  - group: 101
prefix_rules:
  - preset: k3s
  - match: 'fw (?P<zone>\w+) (?P<verdict>drop|reject)'
    labels: {action: '${verdict}'}
    prefix: 'fw ${zone}'
`

func TestRunConfigCheck(t *testing.T) {
	const ok = "flags and configuration file can be used\n"
	tests := []struct {
		name string
		file string // none if empty
		args []string
		want string // what is on stdout; FILE stands for the path
	}{
		{name: "no file", want: ok},
		{name: "good flags", args: []string{"--nflog.netns=blue", "--collector.labels=mark"}, want: ok},
		{name: "good file", file: goodConfig, want: ok},
		{name: "good flags and file", file: goodConfig, args: []string{"--nflog.copy-range=96", "--nflog.netns=own", "--nflog.netns=blue"}, want: ok},
		{name: "groups by flag", file: "prefix_rules: [{preset: shorewall}]\n", args: []string{"--nflog.group=5"}, want: ok},
		{name: "empty file", file: "# nothing yet\n", want: ok},
		{
			name: "warnings",
			file: "prefix_rules:\n  - match: '(?P<node>\\w+)'\n    labels: {pod: a, kind: b}\n",
			want: `FILE:2:12: label "node": is often set by scrape configurations, then Prometheus stores it as exported_node (warning)
FILE:3:14: label "pod": is often set by scrape configurations, then Prometheus stores it as exported_pod (warning)
` + ok,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := configFile(t, tt.file)
			args := append(tt.args, "--config.check")
			if tt.file != "" {
				args = append(args, "--config.file="+path)
			}
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(runAndEnd(t, args), path, "FILE")); diff != "" {
				t.Errorf("unexpected stdout (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRunRefusesConfigFile has files that have mistakes: all of them are told, with their places, whether it is the start
// or a check.
func TestRunRefusesConfigFile(t *testing.T) {
	tests := []struct {
		name string
		file string
		args []string
		want string // what is on stderr, each line after the program's name; FILE stands for the path
	}{
		{
			name: "one",
			file: "groups: [{group: 65536}]\n",
			want: `FILE:1:18: group="65536": must be a number from 0 to 65535`,
		},
		{
			name: "several",
			file: `groups:
  - group: 100
    copy_range: 64K
    timeout: 1s
  - group: 0100
prefix_rules:
  - match: 'fw ('
  - preset: ufw
  - match: '(?P<kind>a)'
    labels: {job: a}
`,
			want: `FILE:3:17: copy_range="64K": must be 1B to 65531B, written like 128, 128B or 64KiB
FILE:4:5: "timeout": must be one of group, copy_range, queue_threshold, queue_timeout, batch_buffer, socket_buffer
FILE:5:12: group="0100": must not be given more than once
FILE:7:12: match="fw (": must be a regular expression in RE2's syntax: missing closing ): "fw ("
FILE:8:13: preset="ufw": must be one of k3s, shorewall
FILE:10:14: label "job": must not be one that Prometheus sets itself`,
		},
		{
			name: "no YAML",
			file: "groups:\n\t- group: 1\n",
			want: `FILE:2:1: must be valid YAML: found character that cannot start any token`,
		},
		{
			name: "groups by flag, too",
			file: "prefix_rules:\n- match: ''\ngroups:\n- group: 5\n",
			args: []string{"--nflog.group=100"},
			want: `FILE:2:10: match="": must not be empty
FILE:3:1: groups: must not be given together with --nflog.group`,
		},
	}
	for _, tt := range tests {
		for _, check := range []bool{false, true} {
			name := tt.name
			path := configFile(t, tt.file)
			args := append(tt.args, "--config.file="+path)
			if check {
				name += ", checked"
				args = append(args, "--config.check")
			}
			t.Run(name, func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				if got, want := run(t.Context(), args, &stdout, &stderr), 1; got != want {
					t.Errorf("unexpected exit status: got %d, want %d", got, want)
				}
				var want strings.Builder
				for line := range strings.SplitSeq(tt.want, "\n") {
					want.WriteString("nflog_exporter: error: " + line + "\n")
				}
				if diff := cmp.Diff(want.String(), strings.ReplaceAll(stderr.String(), path, "FILE")); diff != "" {
					t.Errorf("unexpected stderr (-want +got):\n%s", diff)
				}
				if stdout.Len() != 0 {
					t.Errorf("unexpected stdout: %q", stdout.String())
				}
			})
		}
	}
}

// TestRunWarnsBesideMistakes checks that warnings are told, too, of a file that has mistakes.
func TestRunWarnsBesideMistakes(t *testing.T) {
	path := configFile(t, "prefix_rules: [{match: '(?P<pod>a)'}, {match: '('}]\n")
	for _, args := range [][]string{{"--config.file=" + path}, {"--config.check", "--config.file=" + path}} {
		var out bytes.Buffer
		if got := run(t.Context(), args, &out, &out); got != 1 {
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
