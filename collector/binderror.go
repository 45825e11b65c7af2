// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Reasons why a group could not be bound, values of the label reason.
const (
	reasonHeld        = "held"
	reasonPermission  = "permission"
	reasonUnsupported = "unsupported"
	reasonNamespace   = "namespace"
	reasonOther       = "other"
)

var bindFailureReasons = []string{reasonHeld, reasonPermission, reasonUnsupported, reasonNamespace, reasonOther}

// explain says why a group of a network namespace could not be bound, as a label value and in words.
func explain(err error, netns string) (reason, words string) {
	held, missing := (*nflog.GroupHeldError)(nil), (*nflog.PermissionError)(nil)
	switch {
	case errors.As(err, &held):
		return reasonHeld, explainHeld(held)
	case errors.As(err, &missing):
		return reasonPermission, explainPermission(missing, netns)
	case errors.Is(err, nflog.ErrUnsupported):
		return reasonUnsupported, "this kernel has no NFLOG. Load the module nfnetlink_log, or use a kernel with CONFIG_NETFILTER_NETLINK_LOG"
	case errors.Is(err, errNamespace):
		return reasonNamespace, err.Error()
	default:
		return reasonOther, err.Error()
	}
}

// maxPID is the largest PID that the kernel gives.
const maxPID = 1 << 22

// explainHeld names who holds a group, or says how to find it.
func explainHeld(held *nflog.GroupHeldError) string {
	switch held.PID {
	case 0:
	case os.Getpid():
		return "the exporter itself reads it already: another --nflog.netns is the same network namespace. Leave one of the two out"
	default:
		name := strconv.Quote(held.Process) // which the process chooses itself
		return fmt.Sprintf("it is held by %s (PID %d), and a group has one reader at a time. Stop that one, or let one of the two read another group",
			name[1:len(name)-1], held.PID)
	}
	known, cure := "", "Root finds the holder's netlink port in /proc/net/netfilter/nfnetlink_log"
	if held.PortID != 0 {
		known = fmt.Sprintf(" (netlink port %d)", held.PortID)
		if held.PortID <= maxPID {
			known = fmt.Sprintf(" (netlink port %d, as a rule the PID of its process)", held.PortID)
		}
		cure = "The exporter names the process where it may look into it: as root, in the PID namespace of the host (containers: --pid host)"
	}
	return fmt.Sprintf("another socket holds it%s, and a group has one reader at a time (ulogd, tcpdump -i nflog:%d, another exporter?). %s", known, held.Group, cure)
}

// explainPermission says which capability is missing, and whether it helps to grant it.
func explainPermission(missing *nflog.PermissionError, netns string) string {
	words := fmt.Sprintf("the capability %s is missing in the user namespace that owns the network namespace", missing.Capability)
	if netns != "" {
		words += " " + netns
	}
	if missing.UserNS == 0 {
		return words + ". That does not seem to be the exporter's own, so that to grant it does not help: " +
			"run the exporter there (containers: not rootless, with --userns=host; Kubernetes: hostUsers: true)"
	}
	return fmt.Sprintf("%s. Run as root, or grant it (systemd: AmbientCapabilities=%s, containers: --cap-add %s)",
		words, missing.Capability, strings.TrimPrefix(missing.Capability, "CAP_"))
}
