// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

func TestIntegrationDemo(t *testing.T) {
	tests := []struct {
		name   string
		role   string
		signal syscall.Signal
	}{
		{name: "root, SIGINT", role: roleRoot, signal: syscall.SIGINT},
		{name: "root, SIGTERM", role: roleRoot, signal: syscall.SIGTERM},
		{name: "root, SIGKILL", role: roleRoot, signal: syscall.SIGKILL},
		{name: "user, SIGINT", role: roleUser, signal: syscall.SIGINT},
		{name: "user, SIGTERM", role: roleUser, signal: syscall.SIGTERM},
		{name: "user, SIGKILL", role: roleUser, signal: syscall.SIGKILL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.NS(t) // skips the test if namespaces are forbidden
			if tt.role == roleUser {
				requireUserNS(t)
			}
			p := start(t, tt.role, "-exporter", self(t), "-listen", "127.0.0.1:0")
			var url string
			kerneltest.Eventually(t, 30*time.Second, func() error {
				url = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(p.read(t))
				if url == "" {
					return fmt.Errorf("no address in output:\n%s", p.read(t))
				}
				return nil
			})
			body, err := get(url)
			if err != nil {
				t.Fatalf("failed to get metrics: %v", err)
			}
			names := strings.Fields(body)
			slices.Sort(names)
			if diff := cmp.Diff([]string{"lan", "lo", "wan"}, names); diff != "" {
				t.Errorf("unexpected interfaces of exporter (-want +got):\n%s", diff)
			}

			if err := p.cmd.Process.Signal(tt.signal); err != nil {
				t.Fatalf("failed to signal: %v", err)
			}
			p.awaitEnd(t)
			if state := p.cmd.ProcessState; tt.signal != syscall.SIGKILL && !state.Success() {
				t.Errorf("demo ended with %v:\n%s", state, p.read(t))
			}
			// The socket is open until the last process that has it ends.
			kerneltest.Eventually(t, 10*time.Second, func() error {
				_, err := get(url)
				if errors.Is(err, unix.ECONNREFUSED) {
					return nil
				}
				return errors.Join(errors.New("the exporter still serves"), err)
			})
		})
	}
}

func TestIntegrationDemoErrors(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("failed to listen: %v", err)
	}
	defer busy.Close()
	exporter := self(t)
	tests := []struct {
		name string
		role string
		args []string
		want string // a regular expression
	}{
		{
			name: "no exporter",
			role: roleRoot,
			want: `demo: no exporter: .*: build it, and give its path with -exporter`,
		},
		{
			name: "missing exporter",
			role: roleRoot,
			args: []string{"-exporter", "/nonexistent"},
			want: `demo: no exporter: .*/nonexistent.*: build it, and give its path with -exporter`,
		},
		{
			name: "address in use",
			role: roleRoot,
			args: []string{"-exporter", exporter, "-listen", busy.Addr().String()},
			want: `demo: listen tcp 127\.0\.0\.1:\d+: bind: address already in use: choose another address with -listen, or: make demo LISTEN=127\.0\.0\.1:10101`,
		},
		{
			name: "exporter fails",
			role: roleRoot,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0", "--", "--fail"},
			want: "fake exporter: fails on purpose\ndemo: the exporter ended by itself: exit status 2",
		},
		{
			name: "exporter fails, user",
			role: roleUser,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0", "--", "--fail"},
			want: "fake exporter: fails on purpose\ndemo: the exporter ended by itself: exit status 2",
		},
		{
			name: "no user namespaces",
			role: roleForbidden,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0"},
			want: `demo: user namespaces are forbidden here \(.*\): run the demo as root, .*`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.NS(t) // skips the test if namespaces are forbidden
			if tt.role != roleRoot {
				requireUserNS(t)
			}
			p := start(t, tt.role, tt.args...)
			p.awaitEnd(t)
			if code := p.cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("unexpected exit status: got %d, want 1", code)
			}
			if got := p.read(t); !regexp.MustCompile(`^` + tt.want + `\n$`).MatchString(got) {
				t.Errorf("unexpected output:\n- want: %s\n-  got: %s", tt.want, got)
			}
		})
	}
}
