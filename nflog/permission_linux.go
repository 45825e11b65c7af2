// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPermissionError returns an error that says in which user namespace a capability is missing: the one that
// owns the network namespace with descriptor netns, or the calling thread's if netns is 0.
func newPermissionError(netns int, capability string) *PermissionError {
	missing := &PermissionError{Capability: capability}
	if netns == 0 {
		file, err := os.Open(threadNetNS)
		if err != nil {
			return missing
		}
		defer file.Close()
		netns = int(file.Fd())
	}
	// This fails if the owner is neither the process's own user namespace nor below it.
	owner, err := unix.IoctlRetInt(netns, unix.NS_GET_USERNS)
	if err != nil {
		return missing
	}
	defer unix.Close(owner)
	var ownerStat, ownStat unix.Stat_t
	if unix.Fstat(owner, &ownerStat) != nil || unix.Stat("/proc/thread-self/ns/user", &ownStat) != nil {
		return missing
	}
	missing.UserNS = ownerStat.Ino
	missing.OwnUserNS = ownerStat.Dev == ownStat.Dev && ownerStat.Ino == ownStat.Ino
	return missing
}
