// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package binderror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/namespace"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

func TestDescribe(t *testing.T) {
	const blue = "/run/netns/blue"
	wrap := func(err error) error { return fmt.Errorf("bind NFLOG group 100: %w", err) }
	enter := func(err error) error { return fmt.Errorf("%w %s: %w", namespace.Err, blue, err) }
	tests := []struct {
		name   string
		err    error
		netns  string
		reason string
		want   string
	}{
		{
			name:   "held by a process",
			err:    wrap(&nflog.GroupHeldError{Group: 100, PortID: 3187123456, PID: 812, Process: "ulogd"}),
			reason: "held",
			want: "it is held by ulogd (PID 812), and a group has one reader at a time. " +
				"Stop that process, or use another group",
		},
		{
			name:   "held by a process with special bytes in its name",
			err:    wrap(&nflog.GroupHeldError{Group: 100, PortID: 812, PID: 812, Process: "\x1b[1m\n\xff"}),
			reason: "held",
			want: `it is held by \x1b[1m\n\xff (PID 812), and a group has one reader at a time. ` +
				"Stop that process, or use another group",
		},
		{
			name:   "held by the exporter itself",
			err:    wrap(&nflog.GroupHeldError{Group: 100, PortID: 3187123456, PID: os.Getpid(), Process: "nflog_exporter"}),
			reason: "held",
			want:   "the exporter itself reads it already, under another name of the same network namespace. Leave one of the two out",
		},
		{
			name:   "held by a port that may be a PID",
			err:    wrap(&nflog.GroupHeldError{Group: 100, PortID: 812}),
			reason: "held",
			want: "another socket holds it (netlink port 812, as a rule the PID of its process), and a group has one reader at a time " +
				"(ulogd, tcpdump -i nflog:100, another exporter?). " +
				"The exporter names the process if it runs as root in the host's PID namespace (containers: --pid host)",
		},
		{
			name:   "held by a port that is not a PID",
			err:    wrap(&nflog.GroupHeldError{Group: 100, PortID: 3187123456}),
			reason: "held",
			want: "another socket holds it (netlink port 3187123456), and a group has one reader at a time " +
				"(ulogd, tcpdump -i nflog:100, another exporter?). " +
				"The exporter names the process if it runs as root in the host's PID namespace (containers: --pid host)",
		},
		{
			name:   "held by an unknown socket",
			err:    wrap(&nflog.GroupHeldError{Group: 100}),
			reason: "held",
			want: "another socket holds it, and a group has one reader at a time (ulogd, tcpdump -i nflog:100, another exporter?). " +
				"Root finds the holder's netlink port in /proc/net/netfilter/nfnetlink_log",
		},
		{
			name:   "no permission in the own user namespace",
			err:    wrap(&nflog.PermissionError{Capability: "CAP_NET_ADMIN", UserNS: 4026531837, OwnUserNS: true}),
			reason: "permission",
			want: "the capability CAP_NET_ADMIN is missing in the user namespace that owns the network namespace. " +
				"Run as root, or grant it (systemd: AmbientCapabilities=CAP_NET_ADMIN, containers: --cap-add NET_ADMIN)",
		},
		{
			name:   "no permission to enter, in a child user namespace",
			err:    enter(&nflog.PermissionError{Capability: "CAP_SYS_ADMIN", UserNS: 4026532345}),
			netns:  blue,
			reason: "permission",
			want: "the capability CAP_SYS_ADMIN is missing in the user namespace that owns the network namespace /run/netns/blue. " +
				"Run as root, or grant it (systemd: AmbientCapabilities=CAP_SYS_ADMIN, containers: --cap-add SYS_ADMIN)",
		},
		{
			name:   "no permission in a parent user namespace",
			err:    wrap(&nflog.PermissionError{Capability: "CAP_NET_ADMIN"}),
			reason: "permission",
			want: "the capability CAP_NET_ADMIN is missing in the user namespace that owns the network namespace. " +
				"That does not seem to be the exporter's own user namespace, so granting the capability does not help: " +
				"run the exporter there (containers: not rootless, with --userns=host; Kubernetes: hostUsers: true)",
		},
		{
			name:   "unsupported",
			err:    wrap(nflog.ErrUnsupported),
			reason: "unsupported",
			want:   "this kernel has no NFLOG. Load the module nfnetlink_log, or use a kernel with CONFIG_NETFILTER_NETLINK_LOG",
		},
		{
			name:   "no network namespace",
			err:    fmt.Errorf("%w: %w", namespace.Err, &fs.PathError{Op: "open", Path: blue, Err: syscall.ENOENT}),
			netns:  blue,
			reason: "namespace",
			want:   "enter network namespace: open /run/netns/blue: no such file or directory",
		},
		{
			name:   "not a network namespace",
			err:    enter(os.NewSyscallError("setns", syscall.EINVAL)),
			netns:  blue,
			reason: "namespace",
			want: "enter network namespace /run/netns/blue: setns: invalid argument. " +
				"The file is not a network namespace here. If it was made after the container started, the container does not see its mount: " +
				"let mounts propagate (docker: -v /run/netns:/run/netns:rslave, Kubernetes: mountPropagation: HostToContainer)",
		},
		{name: "another error of the kernel", err: wrap(syscall.ENOMEM), reason: "other", want: "bind NFLOG group 100: cannot allocate memory"},
		{name: "another error", err: errors.New("broken"), reason: "other", want: "broken"},
	}
	seen := make(map[string]bool)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reason, message := Describe(tt.err, tt.netns)
			if reason != tt.reason {
				t.Errorf("the reason is %q, want %q", reason, tt.reason)
			}
			if message != tt.want {
				t.Errorf("the message is\n%s\nwant\n%s", message, tt.want)
			}
			seen[reason] = true
		})
	}
	for _, reason := range Reasons() {
		if !seen[reason] {
			t.Errorf("no test case has the reason %q", reason)
		}
	}
}
