// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// errExited reports a function that left its goroutine instead of returning.
var errExited = errors.New("function called runtime.Goexit: t.FailNow, t.Fatal and t.Skip are for the test's own goroutine")

// Do runs fn inside the namespace and returns its error. What fn opens there
// (sockets, files below /proc/sys/net) stays in the namespace wherever it is
// used later; goroutines that fn starts do not run in it.
func (ns *NS) Do(fn func() error) error {
	return onThread(func() error {
		if err := ns.enter(); err != nil {
			return err
		}
		return fn()
	})
}

// Start starts cmd inside the namespace. A Pdeathsig in cmd.SysProcAttr works:
// it is sent when this process ends.
func (ns *NS) Start(cmd *exec.Cmd) error {
	started := make(chan error, 1)
	go func() {
		err := onThread(func() error {
			if err := ns.enter(); err != nil {
				return err
			}
			if err := cmd.Start(); err != nil {
				return err
			}
			// Once cmd is handed over its caller may wait for it, and the
			// process id may be gone.
			pid := cmd.Process.Pid
			started <- nil
			// The kernel sends the parent-death signal when the thread that
			// forked ends, so the thread stays for as long as the child lives.
			// The child remains for cmd.Wait to reap.
			awaitExit(pid)
			return nil
		})
		if err != nil {
			started <- err
		}
	}()
	return <-started
}

// awaitExit returns when the child process pid has ended, and leaves it to be
// reaped.
func awaitExit(pid int) {
	for {
		// An error other than EINTR means that the child has been reaped.
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// enter moves the calling thread into the namespace.
func (ns *NS) enter() error {
	if err := unix.Setns(ns.FD(), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	return nil
}

// onThread runs fn on a thread of its own that ends with it, whatever fn does
// to the thread.
func onThread(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked below: the runtime ends the thread of a goroutine
		// that ends locked.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and /proc/self shows its namespaces.
			// While it is kept here, the next goroutine gets another.
			defer runtime.UnlockOSThread()
			result <- onThread(fn)
			return
		}
		err := errExited
		defer func() { result <- err }()
		err = fn()
	}()
	return <-result
}
