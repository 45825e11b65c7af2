// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"errors"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// receive reads one datagram and returns its length, which can exceed that of buf. If there is none, it waits for one, or
// returns [unix.EAGAIN]. [netlink.Conn.Receive] does not report that a socket is empty.
func receive(raw syscall.RawConn, buf []byte, wait bool) (n int, err error) {
	rawErr := raw.Read(func(fd uintptr) bool {
		for {
			n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	if rawErr != nil {
		return 0, rawErr
	}
	return n, err
}

// handle updates the names of the interfaces in a datagram of link messages. It reports whether the datagram is well-formed.
func (f *linkFollower) handle(datagram []byte) bool {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return false
	}
	for _, m := range messages {
		f.refresh(m.Data)
	}
	return true
}

// refresh updates the name of the interface in a link message: a struct ifinfomsg and attributes. For a deleted interface,
// the message has the last name.
func (f *linkFollower) refresh(message []byte) {
	if len(message) < unix.SizeofIfInfomsg {
		return
	}
	index := binary.NativeEndian.Uint32(message[4:])
	f.names.refresh(index, linkName(message[unix.SizeofIfInfomsg:]))
}

// linkName returns the name in the attributes of a link, or "".
func linkName(attributes []byte) string {
	ad, err := netlink.NewAttributeDecoder(attributes)
	if err != nil {
		return ""
	}
	for ad.Next() {
		if ad.Type() == unix.IFLA_IFNAME {
			return ad.String()
		}
	}
	return ""
}
