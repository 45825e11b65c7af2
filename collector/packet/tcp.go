// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

// TCPFlags is the byte of flags in a TCP header (RFC 9293, section 3.1).
type TCPFlags uint8

const (
	tcpFIN TCPFlags = 1 << iota
	tcpSYN
	tcpRST
	tcpPSH
	tcpACK
	tcpURG
)

// A TCPKind is the role of a TCP segment by its flags. The zero value is no segment at all.
type TCPKind uint8

const (
	kindNone TCPKind = iota
	kindSYN
	kindSYNACK
	kindACK
	kindFIN
	kindRST
	kindNull
	kindXmas
	kindOther
)

var tcpKindNames = [...]string{"", "syn", "syn-ack", "ack", "fin", "rst", "null", "xmas", "other"}

// String returns the value of the label tcp_flags.
func (k TCPKind) String() string { return tcpKindNames[k] }

// Kind returns the role of a segment with these flags. It ignores flags that any role can have, such as PSH and ECE.
func (f TCPFlags) Kind() TCPKind {
	const xmas = tcpFIN | tcpPSH | tcpURG
	switch {
	case f == 0:
		return kindNull
	case f&tcpRST != 0:
		return kindRST
	case f&(xmas|tcpSYN|tcpACK) == xmas:
		return kindXmas
	}
	switch f & (tcpFIN | tcpSYN | tcpACK) {
	case tcpSYN:
		return kindSYN
	case tcpSYN | tcpACK:
		return kindSYNACK
	case tcpACK:
		return kindACK
	case tcpFIN, tcpFIN | tcpACK:
		return kindFIN
	default:
		return kindOther
	}
}
