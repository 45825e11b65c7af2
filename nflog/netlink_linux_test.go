// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// forge returns a function that sends datagrams to a netlink port in the namespace, from a socket of this process.
func forge(t testing.TB, ns *netns.NS, port uint32) (send func(datagram []byte)) {
	t.Helper()
	var fd int
	err := ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		t.Fatalf("failed to open socket: %v", err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func(datagram []byte) {
		t.Helper()
		if err := unix.Sendto(fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port}); err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}
}

// groupReader returns the netlink port of the group's reader, 0 if there is none, and how many packets the
// kernel has gathered for it.
func groupReader(ns *netns.NS) (port uint32, queued int, err error) {
	var table []byte
	err = ns.Do(func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_log")
		return err
	})
	for line := range strings.Lines(string(table)) {
		var number int
		if _, err := fmt.Sscan(line, &number, &port, &queued); err == nil && number == group {
			return port, queued, nil
		}
	}
	return 0, 0, err
}

// port returns the netlink port of the group's reader.
func port(t testing.TB, ns *netns.NS) uint32 {
	t.Helper()
	port, _, err := groupReader(ns)
	if err != nil || port == 0 {
		t.Fatalf("unexpected reader of group %d: port %d, %v", group, port, err)
	}
	return port
}
