// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// webRefusals are bad values of the flags about serving.
func webRefusals(t *testing.T) []refusal {
	t.Helper()
	const paths = "must be / or a path like /metrics, of letters, digits and -._~ between single slashes, outside /-/ and not /status.json"

	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	invalid := filepath.Join(dir, "invalid.yml")
	if err := os.WriteFile(invalid, []byte("tls_server: {}\nrate_limits: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	users := filepath.Join(dir, "users.yml")
	hash := "$2y$10$iHZfndog7oT0LnSCd57LHOk82aU/x7lFPVGDiZ34q1Q5cK/2Xbjxi"
	if err := os.WriteFile(users, []byte("basic_auth_users:\n  good: "+hash+"\n  zoe: secret\n  \"a\\e\": "+hash[:40]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	refusals := []refusal{
		{
			name: "web configuration with passwords that are no hashes",
			args: []string{"--web.config.file=" + users},
			want: `--web.config.file="` + users + `": must be a valid web configuration file: ` +
				`the password of "a\x1b", "zoe" must be a bcrypt hash, as htpasswd -nBC 10 "a\x1b" prints it`,
		},
		{
			name: "web configuration missing",
			args: []string{"--web.config.file=" + missing},
			want: `--web.config.file="` + missing + `": must be a valid web configuration file: open ` + missing + `: no such file or directory`,
		},
		{
			name: "web configuration invalid",
			args: []string{"--web.config.file=" + invalid},
			want: `--web.config.file="` + invalid + `": must be a valid web configuration file: yaml: unmarshal errors:
  line 1: field tls_server not found in type web.Config
  line 2: field rate_limits not found in type web.Config`,
		},
		{
			name: "web configuration a directory",
			args: []string{"--web.config.file=" + dir},
			want: `--web.config.file="` + dir + `": must be a valid web configuration file: ` + dir + `: must be a regular file, not a directory`,
		},

		{name: "telemetry path empty", args: []string{"--web.telemetry-path="}, want: `--web.telemetry-path="": ` + paths},
		{name: "telemetry path relative", args: []string{"--web.telemetry-path=metrics"}, want: `--web.telemetry-path="metrics": ` + paths + `: write /metrics`},
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
		{name: "reload with value", args: []string{"--web.enable-lifecycle=true"}, want: `--web.enable-lifecycle="true": must be given without a value`},
	}
	if runtime.GOOS == "linux" {
		refusals = append(
			refusals,
			refusal{name: "socket activation with value", args: []string{"--web.systemd-socket=yes"}, want: `--web.systemd-socket="yes": must be given without a value`},
		)
	}
	return refusals
}
