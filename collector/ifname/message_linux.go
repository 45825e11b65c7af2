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
		f.refresh(m.Header.Type, m.Data)
	}
	return true
}

// refresh updates the name and the alias of the interface in a link message of some type: a struct ifinfomsg and attributes. For
// a deleted interface, the message has the last name.
func (f *linkFollower) refresh(messageType uint16, message []byte) {
	if len(message) < unix.SizeofIfInfomsg {
		return
	}
	index := binary.NativeEndian.Uint32(message[4:])
	l := parseLink(message[unix.SizeofIfInfomsg:])
	f.names.refresh(index, l.name)
	if family := message[0]; messageType == unix.RTM_NEWLINK && family == unix.AF_UNSPEC && l.whole {
		f.names.setAlias(index, l.alias)
	}
}

// A link is what the attributes of a link message say.
type link struct {
	name, alias string // empty if they are not there

	// whole reports whether all attributes are there, so that a link without an alias has none. Messages about a wireless event
	// (net/wireless/wext-core.c) have the name alone. Those that rtnl_fill_ifinfo (net/core/rtnetlink.c) makes have the MTU.
	whole bool
}

// parseLink parses the attributes of a link message.
func parseLink(attributes []byte) link {
	ad, err := netlink.NewAttributeDecoder(attributes)
	if err != nil {
		return link{}
	}
	var l link
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_IFNAME:
			l.name = ad.String()
		case unix.IFLA_IFALIAS:
			l.alias = ad.String()
		case unix.IFLA_MTU:
			l.whole = true
		}
	}
	l.whole = l.whole && ad.Err() == nil
	return l
}
