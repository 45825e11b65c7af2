// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits of the search for a process. Checking a descriptor takes some microseconds, and a caller that finds
// a group held tries again and again. A socket that was opened early has a low descriptor.
const (
	maxDescriptors        = 100_000 // of all processes
	maxProcessDescriptors = 1000    // of one process
)

// newGroupHeldError returns an error that says who holds a group in the network namespace with descriptor
// netns, or in the calling thread's if netns is 0.
func newGroupHeldError(netns int, group uint16) *GroupHeldError {
	held := &GroupHeldError{Group: group}
	var inode uint64
	_ = inNetNS(netns, func() error {
		// A file that can't be read is like an empty one.
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

// readerPort returns the netlink port of a group's reader, or 0 if there is none. The table is
// /proc/net/netfilter/nfnetlink_log. Each line begins with a group and the port of its reader.
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

// socketInode returns the inode number of the netfilter socket with a netlink port, or 0 if there is none.
// The table is /proc/net/netlink. Its columns are sk, Eth (the protocol), Pid (the port), Groups, Rmem, Wmem,
// Dump, Locks, Drops and Inode.
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

// findProcess returns the PID of a process that has a socket open, or 0 if it finds none. link is the target
// of the socket's descriptors in /proc, port is its netlink port.
func findProcess(link string, port uint32) int {
	proc, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	// Try the process first whose PID is the port: the kernel uses the PID as the port if it is free and
	// the program chooses none. The PID may be of another PID namespace. Look for it in the list, as
	// opening /proc/PID would also find a thread.
	if i := slices.Index(names, strconv.FormatUint(uint64(port), 10)); i > 0 {
		names[0], names[i] = names[i], names[0]
	}
	checked := 0
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		found, n := hasDescriptor(pid, link)
		if found {
			return pid
		}
		if checked += n; checked > maxDescriptors {
			break
		}
	}
	return 0
}

// hasDescriptor reports whether a process has a descriptor with a link target, and how many descriptors it
// has checked.
func hasDescriptor(pid int, link string) (found bool, checked int) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return false, 1
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxProcessDescriptors)
	target := make([]byte, len(link)+1) // one more, to detect a longer target
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, target)
		if err == nil && string(target[:n]) == link {
			return true, 0
		}
	}
	return false, 1 + len(names)
}
