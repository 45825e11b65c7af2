// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
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

	_, port, _ := net.SplitHostPort(address)
	all := ":" + port
	holder := ": ss -ltnp shows by whom, as root"
	if runtime.GOOS == "linux" {
		comm, err := os.ReadFile("/proc/self/comm")
		if err != nil {
			t.Fatal(err)
		}
		holder = fmt.Sprintf(": held by %s (PID %d)", strings.TrimSpace(string(comm)), os.Getpid())
	}

	tests := []struct {
		name      string
		addresses []string
		systemd   bool
		want      string
	}{
		{
			name: "in use", addresses: []string{address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use` + holder,
		},
		{
			name: "second in use", addresses: []string{"127.0.0.1:0", address},
			want: `--web.listen-address="` + address + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + address + `: bind: address already in use` + holder,
		},
		{
			name: "in use on one address", addresses: []string{all},
			want: `--web.listen-address="` + all + `": must be HOST:PORT or :PORT of this host, not in use: listen tcp ` + all + `: bind: address already in use` + holder,
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

// TestListenNamesAddresses checks that the error names addresses to use instead.
func TestListenNamesAddresses(t *testing.T) {
	o := testWebOptions()
	*o.Toolkit.WebListenAddresses = []string{"192.0.2.1:0"} // TEST-NET-1, RFC 5737
	_, err := Listen(o)
	if err == nil {
		t.Skip("this host has an address for documentation")
	}
	if !regexp.MustCompile(`: bind: cannot assign requested address: this host has .*127\.0\.0\.1`).MatchString(err.Error()) {
		t.Errorf("unexpected error: %v", err)
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
