// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Privileged reports whether the process has the capabilities to make network
// namespaces, and rules and raw sockets in them.
func Privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	const needed = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_SYS_ADMIN
	return data[0].Effective&needed == needed
}

// UserNS returns attributes that start a process as root of its own user namespace,
// where it is privileged if the system allows that. The kernel kills the process
// when the thread that has started it ends.
func UserNS() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
}
