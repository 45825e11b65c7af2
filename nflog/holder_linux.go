// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// How many descriptors are looked at, to find a process: of all, and of one. Each takes some
// microseconds, and who finds a group held tries again and again. A socket that was opened early has
// a low descriptor.
const (
	maxLooks        = 100_000
	maxProcessLooks = 1000
)

// heldError tells who holds a group in a network namespace, of which netns is a descriptor, or 0 for
// the calling thread's.
func heldError(netns int, group uint16) *GroupHeldError {
	held := &GroupHeldError{Group: group}
	var inode uint64
	_ = inNetNS(netns, func() error {
		// What can't be read is empty.
		readers, _ := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_log")
		held.PortID = readerPort(readers, group)
		if held.PortID != 0 {
			sockets, _ := os.ReadFile("/proc/thread-self/net/netlink")
			inode = socketInode(sockets, held.PortID)
		}
		return nil
	})
	if inode == 0 {
		return held
	}
	held.PID = findProcess(fmt.Sprintf("socket:[%d]", inode), held.PortID)
	if held.PID != 0 {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", held.PID))
		held.Process = strings.TrimSuffix(string(name), "\n")
	}
	return held
}

// inNetNS calls a function in a network namespace, of which netns is a descriptor, or 0 for the
// calling thread's. The goroutine keeps its thread meanwhile.
func inNetNS(netns int, fn func() error) error {
	if netns == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return fn()
	}
	result := make(chan error, 1)
	go func() {
		// The thread ends with the goroutine, as that does not unlock it. So nothing else runs in the
		// namespace, and nothing can fail on the way back.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and /proc shows its namespace as the process's. While it
			// is kept here, the next goroutine gets another.
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

// readerPort returns the netlink port of a group's reader, 0 if there is none. Each line of the table,
// /proc/net/netfilter/nfnetlink_log, begins with a group and its reader's port.
func readerPort(table []byte, group uint16) uint32 {
	for line := range bytes.Lines(table) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || !isNumber(fields[0], uint64(group)) {
			continue
		}
		port, err := strconv.ParseUint(string(fields[1]), 10, 32)
		if err != nil {
			return 0
		}
		return uint32(port)
	}
	return 0
}

// socketInode returns the inode number of the netfilter socket with a netlink port, 0 if there is
// none. The columns of the table, /proc/net/netlink, are sk, Eth (the protocol), Pid (the port),
// Groups, Rmem, Wmem, Dump, Locks, Drops and Inode.
func socketInode(table []byte, port uint32) uint64 {
	for line := range bytes.Lines(table) {
		fields := bytes.Fields(line)
		if len(fields) < 10 || !isNumber(fields[1], unix.NETLINK_NETFILTER) || !isNumber(fields[2], uint64(port)) {
			continue
		}
		inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
		if err != nil {
			return 0
		}
		return inode
	}
	return 0
}

func isNumber(field []byte, want uint64) bool {
	n, err := strconv.ParseUint(string(field), 10, 64)
	return err == nil && n == want
}

// findProcess returns a process with a descriptor that is a link to what is said, to a socket with
// that netlink port; 0 if none is seen.
func findProcess(link string, port uint32) int {
	proc, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	// Unless told otherwise, the kernel takes the PID for the port if it is free, as numbered in the
	// PID namespace of the process. It is looked for in the list because a thread has a directory, too.
	if i := slices.Index(names, strconv.FormatUint(uint64(port), 10)); i > 0 {
		names[0], names[i] = names[i], names[0]
	}
	looks := 0
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		found, n := hasDescriptor(pid, link)
		if found {
			return pid
		}
		if looks += n; looks > maxLooks {
			break
		}
	}
	return 0
}

// hasDescriptor reports whether a process has a descriptor that is a link to what is said, and how
// many it has looked at.
func hasDescriptor(pid int, link string) (found bool, looks int) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return false, 1
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxProcessLooks)
	target := make([]byte, len(link)+1) // shows whether the link goes on
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, target)
		if err == nil && string(target[:n]) == link {
			return true, 0
		}
	}
	return false, 1 + len(names)
}
