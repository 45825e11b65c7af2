// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A NS is a network namespace. Its methods may be called concurrently, but not
// after Close.
type NS struct {
	file *os.File
}

// New makes a network namespace whose loopback interface is up, with 127.0.0.1
// and ::1. It needs CAP_SYS_ADMIN.
func New() (*NS, error) {
	ns := &NS{}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		ns.file = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make network namespace: %w", err)
	}
	if err := ns.SetUp("lo"); err != nil {
		_ = ns.Close()
		return nil, err
	}
	return ns, nil
}

// Current returns the network namespace of the process.
func Current() (*NS, error) {
	file, err := os.Open("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	return &NS{file: file}, nil
}

// FD returns the file descriptor that refers to the namespace. It is valid
// until Close.
func (ns *NS) FD() int {
	return int(ns.file.Fd())
}

// Path returns a path of the namespace that this process, its children and
// whoever may look into its /proc directory can open until Close.
func (ns *NS) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.FD())
}

// Close lets go of the namespace. The kernel removes it, with all its
// interfaces, once no process and no socket is left in it.
func (ns *NS) Close() error {
	return ns.file.Close()
}

// Mount makes the namespace reachable as path, as `ip netns add` does under
// /run/netns, until Unmount. The file is made if it does not exist.
func (ns *NS) Mount(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("mount network namespace: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("mount network namespace: %w", err)
	}
	if err := unix.Mount(ns.Path(), path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount network namespace on %s: %w", path, err)
	}
	return nil
}

// Unmount undoes Mount and removes the file, as `ip netns delete` does.
func Unmount(path string) error {
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount network namespace from %s: %w", path, err)
	}
	return os.Remove(path)
}
