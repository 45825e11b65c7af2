// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestErrors(t *testing.T) {
	standard := []error{os.ErrClosed, os.ErrPermission, errors.ErrUnsupported}
	tests := []struct {
		err      error
		standard int // index of the only standard error that it wraps, or -1
	}{
		{err: nflog.ErrClosed, standard: 0},
		{err: nflog.ErrGroupHeld, standard: -1},
		{err: nflog.ErrPermission, standard: 1},
		{err: nflog.ErrUnsupported, standard: 2},
		{err: nflog.ErrNoConntrack, standard: 2},
	}
	for i, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			wrapped := fmt.Errorf("open: %w", tt.err)
			for j, other := range tests {
				if got, want := errors.Is(wrapped, other.err), i == j; got != want {
					t.Errorf("unexpected match with %q: %t, want %t", other.err, got, want)
				}
			}
			for j, err := range standard {
				if got, want := errors.Is(wrapped, err), tt.standard == j; got != want {
					t.Errorf("unexpected match with %q: %t, want %t", err, got, want)
				}
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		permission bool
		want       string
	}{
		{
			name: "unknown holder", err: &nflog.GroupHeldError{Group: 7},
			want: "the group is held by another socket (operation not permitted)",
		},
		{
			name: "held by a port", err: &nflog.GroupHeldError{PortID: 3187123456},
			want: "the group is held by another socket: netlink port 3187123456 (operation not permitted)",
		},
		{
			name: "held by a process", err: &nflog.GroupHeldError{PortID: 812, PID: 812},
			want: "the group is held by another socket: PID 812, netlink port 812 (operation not permitted)",
		},
		{
			name: "held by a process with a name", err: &nflog.GroupHeldError{PortID: 1, PID: 812, Process: "ulogd"},
			want: "the group is held by another socket: ulogd (PID 812, netlink port 1) (operation not permitted)",
		},
		{
			name: "held by a process with spaces in its name", err: &nflog.GroupHeldError{PortID: 1, PID: 812, Process: "a: (b)"},
			want: "the group is held by another socket: a: (b) (PID 812, netlink port 1) (operation not permitted)",
		},
		{
			name: "held by a process with control characters in its name", err: &nflog.GroupHeldError{PortID: 1, PID: 812, Process: "a\n\xff\"b\\"},
			want: `the group is held by another socket: "a\n\xff\"b\\" (PID 812, netlink port 1) (operation not permitted)`,
		},
		{
			name: "missing in the own user namespace", permission: true,
			err:  &nflog.PermissionError{Capability: "CAP_NET_ADMIN", UserNS: 4026531837, OwnUserNS: true},
			want: "the capability CAP_NET_ADMIN is missing in the process's own user namespace 4026531837",
		},
		{
			name: "missing in another user namespace", permission: true,
			err:  &nflog.PermissionError{Capability: "CAP_SYS_ADMIN", UserNS: 4026532345},
			want: "the capability CAP_SYS_ADMIN is missing in user namespace 4026532345, which owns the network namespace",
		},
		{
			name: "missing in an unknown user namespace", permission: true,
			err:  &nflog.PermissionError{Capability: "CAP_NET_ADMIN"},
			want: "the capability CAP_NET_ADMIN is missing in the user namespace that owns the network namespace",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("unexpected text: %s, want %s", got, tt.want)
			}
			for err, want := range map[error]bool{
				nflog.ErrGroupHeld:  !tt.permission,
				nflog.ErrPermission: tt.permission,
				syscall.EPERM:       !tt.permission, // that of a missing capability is wrapped beside it
				os.ErrPermission:    true,
			} {
				if got := errors.Is(tt.err, err); got != want {
					t.Errorf("unexpected match with %q: %t, want %t", err, got, want)
				}
			}
		})
	}
}

func TestOpenReaderConfig(t *testing.T) {
	_, err := nflog.OpenReader(7, nflog.ReaderConfig{CopyRange: nflog.MaxCopyRange + 1})
	if err == nil || !strings.Contains(err.Error(), "group 7: copy range") {
		t.Errorf("unexpected error: %v, want an error that names group and field", err)
	}
}

func TestStatsPlus(t *testing.T) {
	var a, b, want nflog.Stats
	fields := reflect.ValueOf(&want).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).Kind() == reflect.Struct {
			continue
		}
		n := uint64(i + 1)
		reflect.ValueOf(&a).Elem().Field(i).SetUint(n)
		reflect.ValueOf(&b).Elem().Field(i).SetUint(100 * n)
		fields.Field(i).SetUint(101 * n)
	}
	a.Socket = nflog.SocketStats{Drops: 1, Queued: 2, Buffer: 3}
	b.Socket = nflog.SocketStats{Drops: 100, Queued: 200, Buffer: 300}
	want.Socket = nflog.SocketStats{Drops: 101, Queued: 200, Buffer: 300}
	if diff := cmp.Diff(want, a.Plus(b)); diff != "" {
		t.Errorf("unexpected sum (-want +got):\n%s", diff)
	}
}
