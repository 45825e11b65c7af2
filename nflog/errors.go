// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Errors to match with [errors.Is]. An error of opening a reader or registering a hook wraps at most one of
// the last four.
var (
	// ErrClosed: the reader is closed. Every method that returns an error returns it then, except
	// Close. It is [os.ErrClosed].
	ErrClosed = os.ErrClosed

	// ErrGroupHeld: another socket reads the group, in this process or in another. In each network
	// namespace, a group has one reader at a time. [GroupHeldError] says which.
	ErrGroupHeld = errors.New("the group is held by another socket")

	// ErrPermission: the process lacks a capability. [PermissionError] says which capability, and in
	// which user namespace. It wraps [os.ErrPermission]. A group that is held does not match
	// ErrPermission, but it matches os.ErrPermission, as any EPERM.
	ErrPermission = fmt.Errorf("a capability is missing: %w", os.ErrPermission)

	// ErrUnsupported: the kernel has no NFLOG (CONFIG_NETFILTER_NETLINK_LOG), or the system is not
	// Linux. It wraps [errors.ErrUnsupported].
	ErrUnsupported = fmt.Errorf("the kernel has no NFLOG: %w", errors.ErrUnsupported)

	// ErrNoConntrack: the kernel can't send the packets' connections
	// (CONFIG_NETFILTER_NETLINK_GLUE_CT, module nf_conntrack_netlink). It wraps
	// [errors.ErrUnsupported].
	ErrNoConntrack = fmt.Errorf("the kernel sends no connection tracking with logged packets: %w", errors.ErrUnsupported)
)

// A GroupHeldError says who reads a group. It wraps [ErrGroupHeld], and [syscall.EPERM] because this is the errno that
// the kernel returns.
//
// Unknown fields are zero. The kernel shows the port only to root. The process is found only if /proc shows
// it and its descriptors. The holder may also be gone already.
type GroupHeldError struct {
	Group   uint16
	PortID  uint32 // netlink port of the socket, unique in the network namespace
	PID     int    // process that has the socket open, as numbered in this process's /proc
	Process string // its name, which may contain any bytes: see proc_pid_comm(5)
}

// Error returns what is known about the holder, in one line.
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
	if holder != "" {
		holder = ": " + holder
	}
	return fmt.Sprintf("%v%s (%v)", ErrGroupHeld, holder, syscall.EPERM)
}

// Unwrap returns [ErrGroupHeld] and [syscall.EPERM].
func (e *GroupHeldError) Unwrap() []error { return []error{ErrGroupHeld, syscall.EPERM} }

// printable returns s, quoted if it contains characters that need an escape.
func printable(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// A PermissionError says which capability a process lacks, and where. It wraps [ErrPermission].
//
// A capability is valid in the user namespace of the process and in all namespaces below it. If UserNS is
// known, grant the capability. If it is 0, the process usually has to run in another user namespace.
type PermissionError struct {
	// Capability is CAP_NET_ADMIN if the group could not be bound, and CAP_SYS_ADMIN if the network
	// namespace could not be entered.
	Capability string

	// UserNS is the inode number of the user namespace that owns the network namespace, as in
	// /proc/PID/ns/user. The capability is missing there. UserNS is 0 if the kernel does not say,
	// usually because that user namespace is neither the process's own nor below it.
	UserNS uint64

	// OwnUserNS is true if UserNS is the process's own user namespace.
	OwnUserNS bool
}

// Error returns the capability and the user namespace, in one line.
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
