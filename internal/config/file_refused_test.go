// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector"
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

// configFileRefusals are about configuration files that can't be read. Mistakes in others are those of parseConfigFile.
func configFileRefusals(t *testing.T) []refusal {
	t.Helper()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	twice := configFile(t, "prefix_rules:\n- match: ''\ngroups:\n- group: 5\n")
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
		{
			name: "groups by flag and by file",
			args: []string{"--nflog.group=100", "--config.file=" + twice},
			want: twice + `:2:10: match="": must not be empty` + "\n" + twice + ":3:1: groups: must not be given together with --nflog.group",
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

// TestLoadIsUsable checks that the collector takes what Parse and Load let pass.
func TestLoadIsUsable(t *testing.T) {
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
			file, warnings, err := o.Load()
			if err != nil || len(warnings) > 0 {
				t.Fatalf("warnings %v, error %v", warnings, err)
			}
			if _, err := collector.New(o.CollectorConfig(file, nil)); err != nil {
				t.Errorf("the collector refuses it: %v", err)
			}
		})
	}
}
