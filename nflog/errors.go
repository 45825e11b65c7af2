// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Errors to match with [errors.Is]. An error that opening a reader or registering a hook returns wraps at
// most one of the last four.
var (
	// ErrClosed is returned by every method of a closed reader that returns an error, but Close. It
	// is [os.ErrClosed].
	ErrClosed = os.ErrClosed

	// ErrGroupHeld: another socket, of this process or another, reads the group. A group has one
	// reader in a network namespace at a time. [GroupHeldError] tells which.
	ErrGroupHeld = errors.New("the group is held by another socket")

	// ErrPermission: the process lacks a capability. It is an [os.ErrPermission]. [PermissionError]
	// tells which, and where.
	ErrPermission = fmt.Errorf("a capability is missing: %w", os.ErrPermission)

	// ErrUnsupported: the kernel has no NFLOG (CONFIG_NETFILTER_NETLINK_LOG), or the system is
	// not Linux. It is an [errors.ErrUnsupported].
	ErrUnsupported = fmt.Errorf("the kernel has no NFLOG: %w", errors.ErrUnsupported)

	// ErrNoConntrack: the kernel can't send the packets' connections
	// (CONFIG_NETFILTER_NETLINK_GLUE_CT, module nf_conntrack_netlink). It is an
	// [errors.ErrUnsupported].
	ErrNoConntrack = fmt.Errorf("the kernel sends no connection tracking with logged packets: %w", errors.ErrUnsupported)
)

// A GroupHeldError tells who reads a group. It is an [ErrGroupHeld].
//
// What can't be seen is zero: the kernel tells the port to root alone, the process can be found only
// where /proc shows it and its descriptors, and the holder may be gone meanwhile.
type GroupHeldError struct {
	Group   uint16
	PortID  uint32 // netlink port of the socket, unique in the network namespace
	PID     int    // a process that has the socket open, as this process's /proc numbers it
	Process string // its name, the comm of proc_pid_comm(5), which may hold any bytes
}

// Error tells what is known, in one line.
func (e *GroupHeldError) Error() string {
	var numbers []string
	if e.PID != 0 {
		numbers = append(numbers, fmt.Sprintf("PID %d", e.PID))
	}
	if e.PortID != 0 {
		numbers = append(numbers, fmt.Sprintf("netlink port %d", e.PortID))
	}
	holder := strings.Join(numbers, ", ")
	if e.Process != "" {
		holder = fmt.Sprintf("%s (%s)", printable(e.Process), holder)
	}
	if holder == "" {
		return ErrGroupHeld.Error()
	}
	return ErrGroupHeld.Error() + ": " + holder
}

// Unwrap returns [ErrGroupHeld].
func (e *GroupHeldError) Unwrap() error { return ErrGroupHeld }

// printable returns a string quoted if it does not read the same unquoted.
func printable(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// A PermissionError tells what a process lacks. It is an [ErrPermission].
//
// A capability counts in the user namespace of the process and in all below. So where UserNS is known, it
// helps to grant the capability; else the process has to run in another user namespace, as a rule.
type PermissionError struct {
	// Capability is CAP_NET_ADMIN to bind a group, and CAP_SYS_ADMIN to enter another network
	// namespace.
	Capability string

	// UserNS is the user namespace in which it is missing, the one that owns the network
	// namespace: its inode number, as in /proc/PID/ns/user. It is 0 where the kernel does not say:
	// as a rule because that is neither the process's own nor below it.
	UserNS uint64

	// OwnUserNS says that this is the process's own user namespace.
	OwnUserNS bool
}

// Error tells what is known, in one line.
func (e *PermissionError) Error() string {
	s := fmt.Sprintf("the capability %s is missing in ", e.Capability)
	switch {
	case e.OwnUserNS:
		return fmt.Sprintf("%sthe process's own user namespace %d", s, e.UserNS)
	case e.UserNS != 0:
		return fmt.Sprintf("%suser namespace %d, which owns the network namespace", s, e.UserNS)
	default:
		return s + "the user namespace that owns the network namespace"
	}
}

// Unwrap returns [ErrPermission].
func (e *PermissionError) Unwrap() error { return ErrPermission }
