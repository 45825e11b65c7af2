// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An NS is a network namespace. Its methods are safe for concurrent use, but must
// not be called after Close.
type NS struct {
	file *os.File
}

// New makes a network namespace. Its loopback interface is up, with 127.0.0.1 and
// ::1. New needs CAP_SYS_ADMIN.
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

// FD returns a file descriptor of the namespace. It is valid until Close.
func (ns *NS) FD() int {
	return int(ns.file.Fd())
}

// Path returns a path of the namespace below /proc/PID of this process. It is valid
// until Close, for all processes that may read that directory.
func (ns *NS) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.FD())
}

// Close closes the file descriptor. The kernel removes the namespace, with all its
// interfaces, once no process and no socket is left in it.
func (ns *NS) Close() error {
	return ns.file.Close()
}

// Mount mounts the namespace on path, until Unmount, as `ip netns add` does below
// /run/netns. It creates the file if it does not exist.
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
