// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"os"
)

// Errors to match with [errors.Is]. An error that opening a reader returns wraps at most one of
// the last three.
var (
	// ErrClosed is returned by every method of a closed reader. It is [os.ErrClosed].
	ErrClosed = os.ErrClosed

	// ErrGroupHeld: another socket, of this process or another, reads the group. A group has one
	// reader in a network namespace at a time.
	ErrGroupHeld = errors.New("the group is held by another socket")

	// ErrPermission: the process lacks the capability CAP_NET_ADMIN in the user namespace that
	// owns the network namespace. It is an [os.ErrPermission].
	ErrPermission = fmt.Errorf("the capability CAP_NET_ADMIN is missing: %w", os.ErrPermission)

	// ErrUnsupported: the kernel has no NFLOG (CONFIG_NETFILTER_NETLINK_LOG), or the system is
	// not Linux. It is an [errors.ErrUnsupported].
	ErrUnsupported = fmt.Errorf("the kernel has no NFLOG: %w", errors.ErrUnsupported)
)
