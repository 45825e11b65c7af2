// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxDescriptors bounds the search for a process.
const maxDescriptors = 100_000

// portHolder returns the process that listens on an address or on one that excludes it, such as "nginx (PID 812)". It returns ""
// if it may not look there.
func portHolder(address *net.TCPAddr) string {
	sockets := make(map[string]bool)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, _ := os.ReadFile(table) // a file that can't be read is like an empty one
		for line := range strings.Lines(string(data)) {
			if inode, ok := listening(line, address.AddrPort()); ok {
				sockets["socket:["+inode+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return ""
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	checked := 0
	for _, process := range processes {
		descriptors, _ := os.ReadDir(process + "/fd")
		for _, d := range descriptors {
			if link, err := os.Readlink(process + "/fd/" + d.Name()); err == nil && sockets[link] {
				comm, _ := os.ReadFile(process + "/comm")
				name := strconv.Quote(strings.TrimSuffix(string(comm), "\n")) // the process chooses it
				return fmt.Sprintf("%s (PID %s)", name[1:len(name)-1], filepath.Base(process))
			}
		}
		if checked += len(descriptors); checked > maxDescriptors {
			break
		}
	}
	return ""
}

// listening returns the inode of the socket in a line of /proc/net/tcp or /proc/net/tcp6 if it listens where another one could
// not. Its columns are the number, local address, remote address, state, five others, and the inode.
func listening(line string, address netip.AddrPort) (inode string, ok bool) {
	const listen = "0A" // TCP_LISTEN
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listen {
		return "", false
	}
	host, port, _ := strings.Cut(fields[1], ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || n != uint64(address.Port()) {
		return "", false
	}
	local, wanted := tableAddress(host), address.Addr().Unmap()
	// Package net has no address for all of both families.
	excludes := !wanted.IsValid() || local == wanted || covers(local, wanted) || covers(wanted, local)
	return fields[9], excludes
}

// covers reports whether a is the zero address that stands for b, too. That of IPv6 also stands for those of IPv4.
func covers(a, b netip.Addr) bool {
	return a.IsUnspecified() && (a.Is6() || b.Is4())
}

// tableAddress parses an address of these tables: its words of 32 bits are numbers in the machine's byte order.
func tableAddress(s string) netip.Addr {
	b, err := hex.DecodeString(s)
	if err != nil || len(b)%4 != 0 {
		return netip.Addr{}
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}
