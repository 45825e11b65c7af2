// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// threadNetNS is the network namespace of the calling thread.
const threadNetNS = "/proc/thread-self/ns/net"

// inNetNS calls fn in the network namespace with descriptor netns, or in the calling thread's if netns is 0.
// fn stays on one thread.
func inNetNS(netns int, fn func() error) error {
	if netns == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return fn()
	}
	result := make(chan error, 1)
	go func() {
		// The goroutine does not unlock its thread, so the thread ends with it. No other goroutine ever runs
		// in the namespace, and there is no way back that could fail.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and /proc shows its namespace as the process's. Keep it
			// here while another goroutine does the work: that one gets another thread.
			defer runtime.UnlockOSThread()
			result <- inNetNS(netns, fn)
			return
		}
		if err := unix.Setns(netns, unix.CLONE_NEWNET); err != nil {
			result <- os.NewSyscallError("setns", err)
			return
		}
		result <- fn()
	}()
	return <-result
}
