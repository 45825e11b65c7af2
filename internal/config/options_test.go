// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// configFile returns the path of a new configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nflog.yml")
	writeConfigFile(t, path, text)
	return path
}

// writeConfigFile replaces a configuration file atomically.
func writeConfigFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// goodConfig has all settings, and no warnings.
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

// TestLoadGroups checks which groups are read: those of the file or of the flags, in each namespace.
func TestLoadGroups(t *testing.T) {
	group := func(number uint16, netns string) collector.GroupConfig {
		return collector.GroupConfig{
			Group:          number,
			NetNS:          netns,
			CopyRange:      64,
			QueueThreshold: 65535,
			QueueTimeout:   500 * time.Millisecond,
			BatchBuffer:    131072,
			SocketBuffer:   16 << 20,
		}
	}
	copying := func(g collector.GroupConfig, bytes uint32) collector.GroupConfig {
		g.CopyRange = bytes
		return g
	}
	const rule = "prefix_rules: [{match: a}]\n"
	tests := []struct {
		name string
		args []string
		file string // none if empty
		want []collector.GroupConfig
	}{
		{name: "default", want: []collector.GroupConfig{group(100, "")}},
		{
			name: "groups",
			args: []string{"--nflog.group=5", "--nflog.group=3"},
			want: []collector.GroupConfig{group(5, ""), group(3, "")},
		},
		{
			name: "namespaces",
			args: []string{"--nflog.group=5", "--nflog.group=3", "--nflog.netns=blue", "--nflog.netns=own"},
			want: []collector.GroupConfig{group(5, "blue"), group(3, "blue"), group(5, ""), group(3, "")},
		},
		{
			name: "groups of the file",
			args: []string{"--nflog.netns=own", "--nflog.netns=/run/netns/blue"},
			file: "groups: [{group: 7, copy_range: 1}, {group: 8}]\n" + rule,
			want: []collector.GroupConfig{
				copying(group(7, ""), 1), group(8, ""),
				copying(group(7, "/run/netns/blue"), 1), group(8, "/run/netns/blue"),
			},
		},
		{
			name: "groups of the flags beside a file",
			args: []string{"--nflog.group=5"},
			file: rule,
			want: []collector.GroupConfig{group(5, "")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append(tt.args, "--nflog.copy-range=64")
			var rules []prefix.Rule
			if tt.file != "" {
				args = append(args, "--config.file="+configFile(t, tt.file))
				rules = []prefix.Rule{{Match: "a"}}
			}
			o, _, err := Parse(args, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := o.Load()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Groups); diff != "" {
				t.Errorf("unexpected groups (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rules, got.PrefixRules); diff != "" {
				t.Errorf("unexpected rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadUsable(t *testing.T) {
	tests := []struct {
		name string
		file string // none if empty
		args []string
	}{
		{name: "no file"},
		{name: "good flags", args: []string{"--nflog.netns=blue", "--collector.labels=mark"}},
		{name: "good file", file: goodConfig},
		{name: "good flags and file", file: goodConfig, args: []string{"--nflog.copy-range=96", "--nflog.netns=own", "--nflog.netns=blue"}},
		{name: "groups by flag", file: "prefix_rules: [{preset: shorewall}]\n", args: []string{"--nflog.group=5"}},
		{name: "empty file", file: "# nothing yet\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if tt.file != "" {
				args = append(args, "--config.file="+configFile(t, tt.file))
			}
			o, _, err := Parse(args, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkUsable(t, o)
		})
	}
}
