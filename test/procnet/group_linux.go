// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package procnet

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// A Group is the state of an NFLOG group and of the socket that is bound to it. The zero Group is not bound.
type Group struct {
	Bound   bool
	Port    uint32 // netlink port of the socket
	Batched uint64 // packets in the batch that the kernel is filling
	Queued  uint64 // bytes in the socket's receive buffer, as the kernel accounts them
}

// ReadGroup returns the state of a group in ns.
func ReadGroup(ns *netns.NS, number uint16) (Group, error) {
	var groups, sockets []byte
	err := ns.Do(func() (err error) {
		// /proc/net is the namespace of the process, not of this thread.
		const dir = "/proc/thread-self/net/"
		if groups, err = os.ReadFile(dir + "netfilter/nfnetlink_log"); err != nil {
			return err
		}
		sockets, err = os.ReadFile(dir + "netlink")
		return err
	})
	if err != nil {
		return Group{}, err
	}
	return parse(number, string(groups), string(sockets))
}

// parse reads the kernel's lists of NFLOG groups (seq_show in net/netfilter/nfnetlink_log.c) and of netlink sockets
// (netlink_native_seq_show in net/netlink/af_netlink.c).
func parse(number uint16, groups, sockets string) (Group, error) {
	var g Group
	for line := range strings.Lines(groups) {
		// group portid qlen copy_mode copy_range timeout use
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != strconv.Itoa(int(number)) {
			continue
		}
		port, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			return Group{}, fmt.Errorf("port of group %d: %w", number, err)
		}
		if g.Batched, err = strconv.ParseUint(fields[2], 10, 64); err != nil {
			return Group{}, fmt.Errorf("packets batched for group %d: %w", number, err)
		}
		g.Bound, g.Port = true, uint32(port)
	}
	if !g.Bound {
		return Group{}, nil
	}
	for line := range strings.Lines(sockets) {
		// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[1] != strconv.Itoa(unix.NETLINK_NETFILTER) || fields[2] != fmt.Sprint(g.Port) {
			continue
		}
		var err error
		if g.Queued, err = strconv.ParseUint(fields[4], 10, 64); err != nil {
			return Group{}, fmt.Errorf("bytes queued for group %d: %w", number, err)
		}
		return g, nil
	}
	return Group{}, fmt.Errorf("no netlink socket has port %d, which group %d is bound to", g.Port, number)
}
