// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListenRefuses(t *testing.T) {
	inUse, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inUse.Close() })
	address := inUse.Addr().String()

	tests := []struct {
		name      string
		addresses []string
		systemd   bool
		want      string
	}{
		{
			name: "in use", addresses: []string{address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use`,
		},
		{
			name: "second in use", addresses: []string{"127.0.0.1:0", address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use`,
		},
		{
			name: "without port", addresses: []string{"localhost"},
			want: `--web.listen-address="localhost": must be HOST:PORT or :PORT of this host, not in use: listen tcp: address localhost: missing port in address`,
		},
		{
			name: "bad port", addresses: []string{":65536"},
			want: `--web.listen-address=":65536": must be HOST:PORT or :PORT of this host, not in use: listen tcp: address 65536: invalid port`,
		},
		{
			name: "empty", addresses: []string{""},
			want: `--web.listen-address="": must be HOST:PORT or :PORT of this host, not in use: empty address`,
		},
		{
			name: "vsock", addresses: []string{"vsock://:10100"},
			want: `--web.listen-address="vsock://:10100": must be HOST:PORT or :PORT of this host, not in use: vsock is not supported`,
		},
		{
			name: "socket activation without socket", systemd: true,
			want: `--web.systemd-socket: systemd passed no socket: the service must be started by a socket unit`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.systemd && runtime.GOOS != "linux" {
				t.Skip("there is no systemd")
			}
			o := testWebOptions()
			*o.Toolkit.WebListenAddresses, *o.Toolkit.WebSystemdSocket = tt.addresses, tt.systemd
			if _, err := Listen(o); err == nil {
				t.Error("no error")
			} else if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListenClosesAllOnError(t *testing.T) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	probe.Close()

	o := testWebOptions()
	*o.Toolkit.WebListenAddresses = []string{address, "bad"}
	if _, err := Listen(o); err == nil {
		t.Fatal("expected an error, but none occurred")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("first address is still in use: %v", err)
	}
	l.Close()
}
