// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// errUnmapped reports a user or group that is not mapped into the user namespace.
var errUnmapped = errors.New("no such user or group in this user namespace")

// TestIntegrationOwners logs packets of sockets of several users and groups.
func TestIntegrationOwners(t *testing.T) {
	l := newLoopback(t, everyPacket())
	l.log(l.output, "owner")
	must(t, l.rules.Apply())
	for _, owner := range []struct{ uid, gid int }{
		{0, 0},
		{1000, 1001},
		{65534, 0},
		{0, 65534},
		{0x7ffffffe, 0x01020304},
	} {
		t.Run(fmt.Sprintf("%d, %d", owner.uid, owner.gid), func(t *testing.T) {
			err := sendAs(l.ns, owner.uid, owner.gid)
			if errors.Is(err, errUnmapped) {
				t.Skip(err)
			}
			must(t, err)
			a := l.takeEqual(t, 1)[0]
			if diff := cmp.Diff(new(uint32(owner.uid)), a.UID); diff != "" {
				t.Errorf("unexpected user (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(new(uint32(owner.gid)), a.GID); diff != "" {
				t.Errorf("unexpected group (-want +got):\n%s", diff)
			}
		})
	}
}

// sendAs sends a datagram to the loopback interface, from a socket of a user and a group. It returns no error if a
// rule drops the datagram.
func sendAs(ns *netns.NS, uid, gid int) error {
	return ns.Do(func() error {
		// A socket is made with these identities. They belong to the thread, which
		// ends with this function. A call with -1 changes nothing, and returns the
		// identity that the call before has set.
		const keep = -1
		if _, err := unix.SetfsgidRetGid(gid); err != nil {
			return os.NewSyscallError("setfsgid", err)
		}
		if got, err := unix.SetfsgidRetGid(keep); err != nil || got != gid {
			return errors.Join(errUnmapped, err)
		}
		if _, err := unix.SetfsuidRetUid(uid); err != nil {
			return os.NewSyscallError("setfsuid", err)
		}
		if got, err := unix.SetfsuidRetUid(keep); err != nil || got != uid {
			return errors.Join(errUnmapped, err)
		}
		conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write(make([]byte, 10)); err != nil && !errors.Is(err, unix.EPERM) {
			return err
		}
		return nil
	})
}
