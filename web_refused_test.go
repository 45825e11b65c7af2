// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// webRefusals are about serving.
func webRefusals(t *testing.T) []refusal {
	t.Helper()
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

	refusals := []refusal{
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
		{name: "reload with value", args: []string{"--web.enable-lifecycle=true"}, want: `--web.enable-lifecycle="true": must be given without a value`},
	}
	if runtime.GOOS == "linux" {
		refusals = append(
			refusals,
			refusal{name: "socket activation with value", args: []string{"--web.systemd-socket=yes"}, want: `--web.systemd-socket="yes": must be given without a value`},
			refusal{name: "socket activation without socket", args: []string{"--web.systemd-socket"}, want: `--web.systemd-socket: systemd passed no socket: the service must be started by a socket unit`},
		)
	}
	return refusals
}
