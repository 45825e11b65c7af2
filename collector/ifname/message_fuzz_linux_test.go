// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzHandle checks that no datagram makes an interface known. Only an answer of the kernel to a query can.
func FuzzHandle(f *testing.F) {
	deleted := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(deleted[unix.SizeofNlMsghdr+4:], 7)
	deleted = append(deleted, 9, 0, unix.IFLA_IFNAME, 0, 'e', 't', 'h', '0', 0, 0, 0, 0)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 { // attribute headers are in native byte order
		deleted = deleted[:unix.SizeofNlMsghdr+unix.SizeofIfInfomsg]
	}
	binary.NativeEndian.PutUint32(deleted, uint32(len(deleted)))
	binary.NativeEndian.PutUint16(deleted[4:], unix.RTM_DELLINK)
	f.Add(deleted)
	f.Add(deleted[:len(deleted)-1])
	f.Add(append(slices.Clip(deleted), deleted...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		lf := &linkFollower{names: newNames(func(uint32) (string, error) { return "", errNoInterface })}
		lf.names.names[7] = "eth0"
		lf.handle(datagram)
		if n := len(lf.names.names); n > 1 {
			t.Errorf("%d interfaces are known after a message, want at most one", n)
		}
		lf.names.Close()
	})
}
