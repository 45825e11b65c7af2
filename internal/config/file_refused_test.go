// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// configFileRefusals are configuration files that can't be used.
func configFileRefusals(t *testing.T) []refusal {
	t.Helper()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	twice := configFile(t, "prefix_rules:\n- match: ''\ngroups:\n- group: 5\n")
	large := configFile(t, "#"+strings.Repeat("x", maxFile))
	return []refusal{
		{
			name: "configuration missing",
			args: []string{"--config.file=" + missing},
			want: `--config.file="` + missing + `": must be a valid configuration file: open ` + missing + `: no such file or directory`,
		},
		{
			name: "configuration a directory",
			args: []string{"--config.check", "--config.file", dir},
			want: `--config.file="` + dir + `": must be a valid configuration file: ` + dir + `: must be a regular file, not a directory`,
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
		{
			name: "reload interval too short",
			args: []string{"--config.reload-interval=500ms"},
			want: `--config.reload-interval="500ms": must be 0s for never, or a time from 1s to 10000h0m0s`,
		},
		{name: "check with value", args: []string{"--config.check=yes"}, want: `--config.check="yes": must be given without a value`},
		{
			name: "check with a bad flag",
			args: []string{"--config.check", "--collector.max-label-sets=0", "--config.file=" + missing},
			want: `--collector.max-label-sets="0": must be a number from 1 to 1000000`,
		},
	}
}
