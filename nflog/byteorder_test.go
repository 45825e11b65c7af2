// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// NativeOrder converts messages of a little-endian machine to this machine's byte order. Captures are from a
// little-endian machine. Netlink's lengths, types and numbers are in machine order. The values of
// nfnetlink_log's attributes are in network order, so they stay the same.
func NativeOrder(messages []byte) []byte {
	return reorder(messages, binary.LittleEndian, binary.NativeEndian)
}

// reorder converts messages from one byte order to another.
func reorder(messages []byte, from, to binary.ByteOrder) []byte {
	all := bytes.Clone(messages)
	for rest := all; len(rest) > 0; {
		n := from.Uint32(rest)
		for _, at := range []int{0, 8, 12} { // nlmsg_len, nlmsg_seq, nlmsg_pid
			to.PutUint32(rest[at:], from.Uint32(rest[at:]))
		}
		for _, at := range []int{4, 6} { // nlmsg_type, nlmsg_flags
			to.PutUint16(rest[at:], from.Uint16(rest[at:]))
		}
		reorderAttributes(rest[attributesAt:n], from, to)
		rest = rest[min(align(int(n)), len(rest)):]
	}
	return all
}

// reorderAttributes changes the byte order of attributes, including nested ones.
func reorderAttributes(rest []byte, from, to binary.ByteOrder) {
	for len(rest) > 0 {
		n, typ := from.Uint16(rest), from.Uint16(rest[2:])
		to.PutUint16(rest, n)
		to.PutUint16(rest[2:], typ)
		if typ&^attributeTypeMask != 0 { // NLA_F_NESTED
			reorderAttributes(rest[attributeHeaderLen:n], from, to)
		}
		rest = rest[min(align(int(n)), len(rest)):]
	}
}

// TestReorder converts two messages, with nested attributes and padding, to the other byte order and back.
func TestReorder(t *testing.T) {
	little := []byte{
		0x24, 0, 0, 0, 0x00, 0x04, 0x05, 0x06, 0x0a, 0, 0, 0, 0x0b, 0, 0x0c, 0, 2, 0, 0, 100,
		0x05, 0, 0x0a, 0, 1, 0, 0, 0,
		0x08, 0, 0x14, 0x80, 0x04, 0, 0x02, 0,
		0x14, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100,
	}
	big := []byte{
		0, 0, 0, 0x24, 0x04, 0x00, 0x06, 0x05, 0, 0, 0, 0x0a, 0, 0x0c, 0, 0x0b, 2, 0, 0, 100,
		0, 0x05, 0, 0x0a, 1, 0, 0, 0,
		0, 0x08, 0x80, 0x14, 0, 0x04, 0, 0x02,
		0, 0, 0, 0x14, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100,
	}
	if diff := cmp.Diff(big, reorder(little, binary.LittleEndian, binary.BigEndian)); diff != "" {
		t.Errorf("unexpected messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(little, reorder(big, binary.BigEndian, binary.LittleEndian)); diff != "" {
		t.Errorf("unexpected messages on the way back (-want +got):\n%s", diff)
	}
}
