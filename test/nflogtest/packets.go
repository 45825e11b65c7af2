// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflogtest

import (
	"encoding/hex"
	"strings"
)

// Packets in hexadecimal digits, see [Unhex].
const (
	// IPv4UDP is a packet of UDP without data, 28 bytes long.
	IPv4UDP = `4500 001c 0000 0000 4011 66cf 0a00 0001 0a00 0002
		0009 0009 0008 0000`

	// IPv6UDP is the same for IPv6, 48 bytes long.
	IPv6UDP = `6000 0000 0008 1140
		2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002
		0009 0009 0008 0000`

	// ARPRequest asks for an IPv4 address on Ethernet, 28 bytes long.
	ARPRequest = `0001 0800 0604 0001 0200 0000 0001 0a00 0001 0000 0000 0000 0a00 0002`

	// TCPTo443 is the beginning of a TCP header up to the acknowledgment number; SYN is the rest of one with that flag.
	TCPTo443 = "c000 01bb 0000 0001 0000 0002"
	SYN      = "5002 ffff 0000 0000"

	// Ethernet is the addresses of an Ethernet header, and Broadcast those of a broadcast frame.
	Ethernet  = "0200 0000 0002 0200 0000 0001"
	Broadcast = "ffff ffff ffff 0200 0000 0001"
)

// Unhex returns the bytes of hexadecimal digits. White space is ignored.
func Unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// IPv4Header returns an IPv4 header with a total length and a protocol, all in hexadecimal digits.
func IPv4Header(length, protocol string) string {
	return "4500" + length + "0001 0000 40" + protocol + "0000 0a00 0001 0a00 0002"
}

// IPv6Header returns an IPv6 header with a payload length and a next header, all in hexadecimal digits.
func IPv6Header(length, next string) string {
	return "6000 0000" + length + next + "40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002"
}
