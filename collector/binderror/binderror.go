// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package binderror says in words why a group can't be bound, and what helps.
package binderror

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/nflog-exporter/nflog_exporter/collector/namespace"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// The reasons for a failure to bind a group, values of the label reason.
const (
	reasonHeld        = "held"
	reasonPermission  = "permission"
	reasonUnsupported = "unsupported"
	reasonNamespace   = "namespace"
	reasonOther       = "other"
)

// Reasons returns all reasons.
func Reasons() []string {
	return []string{reasonHeld, reasonPermission, reasonUnsupported, reasonNamespace, reasonOther}
}

// Describe returns the reason for a failure to bind a group of a network namespace, and a message for people.
func Describe(err error, netns string) (reason, message string) {
	if held, ok := errors.AsType[*nflog.GroupHeldError](err); ok {
		return reasonHeld, describeHeld(held)
	}
	if missing, ok := errors.AsType[*nflog.PermissionError](err); ok {
		return reasonPermission, describePermission(missing, netns)
	}
	switch {
	case errors.Is(err, nflog.ErrUnsupported):
		return reasonUnsupported, "this kernel has no NFLOG. Load the module nfnetlink_log, or use a kernel with CONFIG_NETFILTER_NETLINK_LOG"
	case errors.Is(err, namespace.Err):
		return reasonNamespace, err.Error() + namespaceCure(err)
	default:
		return reasonOther, err.Error()
	}
}

// namespaceCure says what else to know about a namespace that can't be entered.
func namespaceCure(err error) string {
	// ip-netns(8) makes an empty file, and mounts the namespace over it. Elsewhere the file is seen without the mount.
	if !errors.Is(err, syscall.EINVAL) {
		return ""
	}
	return ". The file is not a network namespace here. If it was made after the container started, the container does not see its mount: " +
		"let mounts propagate (docker: -v /run/netns:/run/netns:rslave, Kubernetes: mountPropagation: HostToContainer)"
}

// maxPID is the largest PID, PID_MAX_LIMIT of include/linux/threads.h.
const maxPID = 1 << 22

// describeHeld names the process that holds a group, or says how to find it.
func describeHeld(held *nflog.GroupHeldError) string {
	switch held.PID {
	case 0:
	case os.Getpid():
		return "the exporter itself reads it already, under another name of the same network namespace. Leave one of the two out"
	default:
		name := strconv.Quote(held.Process) // the process chooses it, so it is quoted
		return fmt.Sprintf("it is held by %s (PID %d), and a group has one reader at a time. Stop that process, or use another group",
			name[1:len(name)-1], held.PID)
	}
	known, cure := "", "Root finds the holder's netlink port in /proc/net/netfilter/nfnetlink_log"
	if held.PortID != 0 {
		known = fmt.Sprintf(" (netlink port %d)", held.PortID)
		if held.PortID <= maxPID {
			known = fmt.Sprintf(" (netlink port %d, as a rule the PID of its process)", held.PortID)
		}
		cure = "The exporter names the process if it runs as root in the host's PID namespace (containers: --pid host)"
	}
	return fmt.Sprintf("another socket holds it%s, and a group has one reader at a time (ulogd, tcpdump -i nflog:%d, another exporter?). %s", known, held.Group, cure)
}

// describePermission names the missing capability, and the cure.
func describePermission(missing *nflog.PermissionError, netns string) string {
	message := fmt.Sprintf("the capability %s is missing in the user namespace that owns the network namespace", missing.Capability)
	if netns != "" {
		message += " " + netns
	}
	if missing.UserNS == 0 {
		return message + ". That does not seem to be the exporter's own user namespace, so granting the capability does not help: " +
			"run the exporter there (containers: not rootless, with --userns=host; Kubernetes: hostUsers: true)"
	}
	return fmt.Sprintf("%s. Run as root, or grant it (systemd: AmbientCapabilities=%s, containers: --cap-add %s)",
		message, missing.Capability, strings.TrimPrefix(missing.Capability, "CAP_"))
}
