// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// privileged calls fn with CAP_NET_ADMIN in effect for the calling thread, and for as long, where the thread has it
// permitted but not in effect. So has a program whose file has the capability permitted alone, which, unlike one
// that has it in effect, can be executed also where nobody may have it.
//
// Other threads, and what fn does not do itself, go on without.
func privileged(fn func() error) error {
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
		defer func() { _ = unix.Capset(&header, &sets[0]) }() // which the kernel refuses nobody
	}
	return fn()
}
