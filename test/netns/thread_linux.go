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

// errExited reports a function that ended its goroutine instead of returning.
var errExited = errors.New("function called runtime.Goexit: t.FailNow, t.Fatal and t.Skip are for the test's own goroutine")

// Do runs fn inside the namespace and returns its error. Sockets that fn opens, and
// files below /proc/sys/net, belong to the namespace wherever they are used later.
// Goroutines that fn starts do not run in the namespace.
func (ns *NS) Do(fn func() error) error {
	return onThread(func() error {
		if err := ns.enter(); err != nil {
			return err
		}
		return fn()
	})
}

// Start starts cmd inside the namespace. The kernel sends Pdeathsig of
// cmd.SysProcAttr when this process ends, not when a thread of it ends.
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
			// Read the process id now: after the next line the caller may call
			// cmd.Wait, which releases the process.
			pid := cmd.Process.Pid
			started <- nil
			// The kernel sends the parent-death signal when the thread that
			// forked ends, so this thread must live as long as the child.
			// awaitExit does not reap the child: cmd.Wait does.
			awaitExit(pid)
			return nil
		})
		if err != nil {
			started <- err
		}
	}()
	return <-started
}

// awaitExit waits until the child process pid has ended. It does not reap it.
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

// onThread runs fn on a thread of its own. The thread ends with fn, so that fn may
// change it in any way.
func onThread(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		// There is no unlock: the runtime ends the thread of a goroutine that ends
		// locked.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and /proc/self shows its namespaces. While
			// this goroutine holds it, the next one gets another thread.
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
