// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// withNetAdmin calls fn. If the calling thread has CAP_NET_ADMIN permitted but not effective, it makes the
// capability effective during the call. This is the case after setcap cap_net_admin+p. Unlike +ep, such a file
// still starts where the capability is not in the bounding set.
//
// The capability is not effective in other threads, so not in goroutines that fn starts.
func withNetAdmin(fn func() error) error {
	const netAdmin = 1 << unix.CAP_NET_ADMIN
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil || sets[0].Permitted&^sets[0].Effective&netAdmin == 0 {
		return fn()
	}
	sets[0].Effective |= netAdmin
	if unix.Capset(&header, &sets[0]) == nil {
		sets[0].Effective &^= netAdmin
		defer func() { _ = unix.Capset(&header, &sets[0]) }() // dropping a capability can't fail
	}
	return fn()
}
