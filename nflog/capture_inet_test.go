// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

// inetCaptures returns captures of rules in tables ip, ip6 and inet.
func inetCaptures() []capture {
	return []capture{
		{
			name: "IPv4 input",
			datagram: `
			b0 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 01 08 00 01 00
			08 00 01 00 13 00 0a 00
			66 77 20 69 6e 70 75 74
			20 64 72 6f 70 20 00 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			56 9a 41 bb 3e 06 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 2d 20
			08 00 0c 00 00 00 00 00
			25 00 09 00 45 00 00 21
			11 a1 40 00 40 11 a5 27
			c0 00 02 01 c0 00 02 02
			8b 5f 00 09 00 0d 84 22
			00 00 00 00 00 00 00 00
		`,
			want: []values{{
				Group: 1, Family: 2, HWProtocol: 0x0800, Hook: 1, Prefix: "fw input drop ", InDev: 2,
				HWAddr:    unhex("56 9a 41 bb 3e 06"),
				HWType:    some(uint16(1)),
				HWLen:     some(uint16(14)),
				HWHeader:  unhex("6a 3c 08 64 b8 6e 56 9a 41 bb 3e 06 08 00"),
				Timestamp: micros(1795351603, 732448),
				Seq:       some(uint32(0)),
				Payload: unhex(`
					45 00 00 21 11 a1 40 00 40 11 a5 27 c0 00 02 01 c0 00 02 02
					8b 5f 00 09 00 0d 84 22 00 00 00 00 00`),
			}},
		},
		{
			// With the socket's user and group, and a mark.
			name: "IPv6 output",
			datagram: `
			8c 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			0a 00 00 01 08 00 01 00
			86 dd 03 00 0a 00 0a 00
			6f 75 74 36 20 00 00 00
			08 00 05 00 00 00 00 02
			08 00 02 00 00 1f 0a 0b
			08 00 0b 00 00 00 03 e8
			08 00 0e 00 00 00 07 d0
			08 00 0c 00 00 00 00 00
			39 00 09 00 60 0f 84 13
			00 0d 11 40 20 01 0d b8
			00 00 00 00 00 00 00 00
			00 00 00 01 20 01 0d b8
			00 00 00 00 00 00 00 00
			00 00 00 02 e4 12 00 0f
			00 0d 5b 93 68 65 6c 6c
			6f 00 00 00
		`,
			want: []values{{
				Group: 1, Family: 10, HWProtocol: 0x86dd, Hook: 3, Prefix: "out6 ", OutDev: 2,
				Mark: some(uint32(0x1f0a0b)),
				UID:  some(uint32(1000)),
				GID:  some(uint32(2000)),
				Seq:  some(uint32(0)),
				Payload: unhex(`
					60 0f 84 13 00 0d 11 40
					20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
					20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
					e4 12 00 0f 00 0d 5b 93 68 65 6c 6c 6f`),
			}},
		},
		{
			// A hook that only inet tables have. Its number is too high for a timestamp. The sender is on
			// the same machine, so its socket still owns the packet.
			name: "inet ingress",
			datagram: `
			ac 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			02 00 00 0a 08 00 01 00
			08 00 05 00 12 00 0a 00
			69 6e 65 74 20 69 6e 67
			72 65 73 73 20 00 00 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			56 9a 41 bb 3e 06 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 00 00 08 00 0b 00
			00 00 00 00 08 00 0e 00
			00 00 00 00 08 00 0c 00
			00 00 00 00 25 00 09 00
			45 00 00 21 11 a6 40 00
			40 11 a5 22 c0 00 02 01
			c0 00 02 02 c0 41 00 0e
			00 0d 84 22 00 00 00 00
			00 00 00 00
		`,
			want: []values{{
				Group: 10, Family: 2, HWProtocol: 0x0800, Hook: 5, Prefix: "inet ingress ", InDev: 2,
				HWAddr:   unhex("56 9a 41 bb 3e 06"),
				HWType:   some(uint16(1)),
				HWLen:    some(uint16(14)),
				HWHeader: unhex("6a 3c 08 64 b8 6e 56 9a 41 bb 3e 06 08 00"),
				UID:      some(uint32(0)),
				GID:      some(uint32(0)),
				Seq:      some(uint32(0)),
				Payload: unhex(`
					45 00 00 21 11 a6 40 00 40 11 a5 22 c0 00 02 01 c0 00 02 02
					c0 41 00 0e 00 0d 84 22 00 00 00 00 00`),
			}},
		},
	}
}
