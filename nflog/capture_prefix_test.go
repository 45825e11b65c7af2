// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"strings"
	"time"
)

// prefixCaptures returns captures of rules with various prefixes, and of several rules together.
func prefixCaptures() []capture {
	// input returns a packet with the values that all these captures share.
	input := func(group uint16, prefix string, timestamp optional[time.Time], seq uint32, payload string) values {
		return values{
			Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, Prefix: prefix, InDev: 2,
			HWAddr:    unhex("56 9a 41 bb 3e 06"),
			HWType:    some(uint16(1)),
			HWLen:     some(uint16(14)),
			HWHeader:  unhex("6a 3c 08 64 b8 6e 56 9a 41 bb 3e 06 08 00"),
			Timestamp: timestamp,
			Seq:       some(seq),
			Payload:   unhex(payload),
		}
	}
	withoutPrefix := input(2, "", micros(1795351603, 732607), 0, `
		45 00 00 21 11 a2 40 00 40 11 a5 26 c0 00 02 01 c0 00 02 02
		c0 e4 00 0a 00 0d 84 22 00 00 00 00 00`)
	withoutPrefix.SeqGlobal = some(uint32(1))
	return []capture{
		{
			name: "no prefix",
			datagram: `
			ac 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 02 08 00 01 00
			08 00 01 00 05 00 0a 00
			00 00 00 00 08 00 04 00
			00 00 00 02 10 00 08 00
			00 06 00 00 56 9a 41 bb
			3e 06 00 00 06 00 0f 00
			00 01 00 00 06 00 11 00
			00 0e 00 00 12 00 10 00
			6a 3c 08 64 b8 6e 56 9a
			41 bb 3e 06 08 00 00 00
			14 00 03 00 00 00 00 00
			6b 02 e4 33 00 00 00 00
			00 0b 2d bf 08 00 0c 00
			00 00 00 00 08 00 0d 00
			00 00 00 01 25 00 09 00
			45 00 00 21 11 a2 40 00
			40 11 a5 26 c0 00 02 01
			c0 00 02 02 c0 e4 00 0a
			00 0d 84 22 00 00 00 00
			00 00 00 00
		`,
			want: []values{withoutPrefix},
		},
		{
			// The longest possible prefix.
			name: "prefix of 127 bytes",
			datagram: `
			20 01 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 03 08 00 01 00
			08 00 01 00 84 00 0a 00
			61 62 63 64 65 66 67 68
			69 6a 6b 6c 6d 6e 6f 70
			71 72 73 74 75 76 77 78
			79 7a 61 62 63 64 65 66
			67 68 69 6a 6b 6c 6d 6e
			6f 70 71 72 73 74 75 76
			77 78 79 7a 61 62 63 64
			65 66 67 68 69 6a 6b 6c
			6d 6e 6f 70 71 72 73 74
			75 76 77 78 79 7a 61 62
			63 64 65 66 67 68 69 6a
			6b 6c 6d 6e 6f 70 71 72
			73 74 75 76 77 78 79 7a
			61 62 63 64 65 66 67 68
			69 6a 6b 6c 6d 6e 6f 70
			71 72 73 74 75 76 77 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			56 9a 41 bb 3e 06 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 2e 71
			08 00 0c 00 00 00 00 00
			25 00 09 00 45 00 00 21
			11 a3 40 00 40 11 a5 25
			c0 00 02 01 c0 00 02 02
			c0 28 00 0b 00 0d 84 22
			00 00 00 00 00 00 00 00
		`,
			want: []values{
				input(3, strings.Repeat("abcdefghijklmnopqrstuvwxyz", 5)[:127], micros(1795351603, 732785), 0, `
					45 00 00 21 11 a3 40 00 40 11 a5 25 c0 00 02 01 c0 00 02 02
					c0 28 00 0b 00 0d 84 22 00 00 00 00 00`),
			},
		},
		{
			name: "prefix is not UTF-8",
			datagram: `
			ac 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 04 08 00 01 00
			08 00 01 00 0e 00 0a 00
			62 61 64 ff fe c3 65 6e
			64 00 00 00 08 00 04 00
			00 00 00 02 10 00 08 00
			00 06 00 00 56 9a 41 bb
			3e 06 00 00 06 00 0f 00
			00 01 00 00 06 00 11 00
			00 0e 00 00 12 00 10 00
			6a 3c 08 64 b8 6e 56 9a
			41 bb 3e 06 08 00 00 00
			14 00 03 00 00 00 00 00
			6b 02 e4 33 00 00 00 00
			00 0b 2e e6 08 00 0c 00
			00 00 00 00 25 00 09 00
			45 00 00 21 11 a4 40 00
			40 11 a5 24 c0 00 02 01
			c0 00 02 02 a2 02 00 0c
			00 0d 84 22 00 00 00 00
			00 00 00 00
		`,
			want: []values{
				input(4, "bad\xff\xfe\xc3end", micros(1795351603, 732902), 0, `
					45 00 00 21 11 a4 40 00 40 11 a5 24 c0 00 02 01 c0 00 02 02
					a2 02 00 0c 00 0d 84 22 00 00 00 00 00`),
			},
		},
		{
			// Two rules log a packet. NLMSG_DONE ends the datagram.
			name: "two messages",
			datagram: `
			a8 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 05 08 00 01 00
			08 00 01 00 09 00 0a 00
			6f 6e 65 20 00 00 00 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			56 9a 41 bb 3e 06 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 2f 68
			08 00 0c 00 00 00 00 00
			25 00 09 00 45 00 00 21
			11 a5 40 00 40 11 a5 23
			c0 00 02 01 c0 00 02 02
			9f e0 00 0d 00 0d 84 22
			00 00 00 00 00 00 00 00
			a8 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 05 08 00 01 00
			08 00 01 00 09 00 0a 00
			74 77 6f 20 00 00 00 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			56 9a 41 bb 3e 06 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 2f 69
			08 00 0c 00 00 00 00 01
			25 00 09 00 45 00 00 21
			11 a5 40 00 40 11 a5 23
			c0 00 02 01 c0 00 02 02
			9f e0 00 0d 00 0d 84 22
			00 00 00 00 00 00 00 00
			14 00 00 00 03 00 00 00
			00 00 00 00 00 00 00 00
			00 00 00 05
		`,
			want: []values{
				input(5, "one ", micros(1795351603, 733032), 0, `
					45 00 00 21 11 a5 40 00 40 11 a5 23 c0 00 02 01 c0 00 02 02
					9f e0 00 0d 00 0d 84 22 00 00 00 00 00`),
				input(5, "two ", micros(1795351603, 733033), 1, `
					45 00 00 21 11 a5 40 00 40 11 a5 23 c0 00 02 01 c0 00 02 02
					9f e0 00 0d 00 0d 84 22 00 00 00 00 00`),
			},
		},
	}
}
