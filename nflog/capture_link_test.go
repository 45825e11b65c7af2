// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

// linkCaptures returns captures of rules in tables arp, bridge and netdev.
func linkCaptures() []capture {
	return []capture{
		{
			name: "ARP input",
			datagram: `
			b0 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			03 00 00 06 08 00 01 00
			08 06 00 00 0c 00 0a 00
			61 72 70 20 69 6e 20 00
			08 00 04 00 00 00 00 03
			10 00 08 00 00 06 00 00
			fe fd 96 35 69 50 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 ff ff ff ff
			ff ff fe fd 96 35 69 50
			08 06 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 32 7a
			08 00 0b 00 00 00 00 00
			08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 00
			20 00 09 00 00 01 08 00
			06 04 00 01 fe fd 96 35
			69 50 c6 33 64 01 00 00
			00 00 00 00 c6 33 64 02
		`,
			want: []values{{
				Group: 6, Family: 3, HWProtocol: 0x0806, Hook: 0, Prefix: "arp in ", InDev: 3,
				HWAddr:    unhex("fe fd 96 35 69 50"),
				HWType:    some(uint16(1)),
				HWLen:     some(uint16(14)),
				HWHeader:  unhex("ff ff ff ff ff ff fe fd 96 35 69 50 08 06"),
				Timestamp: micros(1795351603, 733818),
				UID:       some(uint32(0)),
				GID:       some(uint32(0)),
				Seq:       some(uint32(0)),
				Payload: unhex(`
					00 01 08 00 06 04 00 01
					fe fd 96 35 69 50 c6 33 64 01 00 00 00 00 00 00 c6 33 64 02`),
			}},
		},
		{
			// The payload begins with the Ethernet header.
			name: "ARP output",
			datagram: `
			80 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			03 00 00 07 08 00 01 00
			08 06 01 00 0d 00 0a 00
			61 72 70 20 6f 75 74 20
			00 00 00 00 08 00 05 00
			00 00 00 03 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 32 81
			08 00 0c 00 00 00 00 00
			2e 00 09 00 fe fd 96 35
			69 50 ee 79 ed bc f0 48
			08 06 00 01 08 00 06 04
			00 02 ee 79 ed bc f0 48
			c6 33 64 02 fe fd 96 35
			69 50 c6 33 64 01 00 00
		`,
			want: []values{{
				Group: 7, Family: 3, HWProtocol: 0x0806, Hook: 1, Prefix: "arp out ", OutDev: 3,
				Timestamp: micros(1795351603, 733825),
				Seq:       some(uint32(0)),
				Payload: unhex(`
					fe fd 96 35 69 50 ee 79 ed bc f0 48 08 06
					00 01 08 00 06 04 00 02
					ee 79 ed bc f0 48 c6 33 64 02 fe fd 96 35 69 50 c6 33 64 01`),
			}},
		},
		{
			// A frame of VLAN 42 with priority 5, from one port to another. The group was bound with
			// NFULNL_CFG_F_SEQ_GLOBAL.
			name: "bridge forward, VLAN",
			datagram: `
			00 01 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			07 00 00 01 08 00 01 00
			08 00 02 00 0c 00 0a 00
			62 72 69 64 67 65 20 00
			08 00 06 00 00 00 00 02
			08 00 04 00 00 00 00 04
			08 00 07 00 00 00 00 03
			08 00 05 00 00 00 00 04
			10 00 08 00 00 06 00 00
			9e 40 e1 0f 35 f4 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 f6 f7 ea 0d
			93 7a 9e 40 e1 0f 35 f4
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 50 2b
			08 00 0b 00 00 00 00 00
			08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 00
			08 00 0d 00 00 00 00 01
			14 00 14 80 06 00 02 00
			a0 2a 00 00 06 00 01 00
			81 00 00 00 12 00 15 00
			f6 f7 ea 0d 93 7a 9e 40
			e1 0f 35 f4 08 00 00 00
			25 00 09 00 45 00 00 21
			00 00 00 00 40 11 f6 c0
			c0 00 02 05 c0 00 02 06
			03 e8 00 35 00 0d 33 d9
			68 65 6c 6c 6f 00 00 00
		`,
			want: []values{{
				Group: 1, Family: 7, HWProtocol: 0x0800, Hook: 2, Prefix: "bridge ",
				InDev: 4, OutDev: 4, PhysInDev: 2, PhysOutDev: 3,
				HWAddr:    unhex("9e 40 e1 0f 35 f4"),
				HWType:    some(uint16(1)),
				HWLen:     some(uint16(14)),
				HWHeader:  unhex("f6 f7 ea 0d 93 7a 9e 40 e1 0f 35 f4 08 00"),
				Timestamp: micros(1795351603, 741419),
				UID:       some(uint32(0)),
				GID:       some(uint32(0)),
				Seq:       some(uint32(0)),
				SeqGlobal: some(uint32(1)),
				VLAN:      some(vlanTag{0x8100, 0xa02a}),
				L2Header:  unhex("f6 f7 ea 0d 93 7a 9e 40 e1 0f 35 f4 08 00"),
				Payload: unhex(`
					45 00 00 21 00 00 00 00 40 11 f6 c0 c0 00 02 05 c0 00 02 06
					03 e8 00 35 00 0d 33 d9 68 65 6c 6c 6f`),
			}},
		},
		{
			name: "netdev ingress, VLAN",
			datagram: `
			e0 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			05 00 00 02 08 00 01 00
			08 00 00 00 0c 00 0a 00
			74 61 67 67 65 64 20 00
			08 00 04 00 00 00 00 02
			10 00 08 00 00 06 00 00
			9e 40 e1 0f 35 f4 00 00
			06 00 0f 00 00 01 00 00
			06 00 11 00 00 0e 00 00
			12 00 10 00 f6 f7 ea 0d
			93 7a 9e 40 e1 0f 35 f4
			08 00 00 00 14 00 03 00
			00 00 00 00 6b 02 e4 33
			00 00 00 00 00 0b 50 1d
			08 00 0b 00 00 00 00 00
			08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 00
			14 00 14 80 06 00 02 00
			a0 2a 00 00 06 00 01 00
			81 00 00 00 12 00 15 00
			f6 f7 ea 0d 93 7a 9e 40
			e1 0f 35 f4 08 00 00 00
			25 00 09 00 45 00 00 21
			00 00 00 00 40 11 f6 c0
			c0 00 02 05 c0 00 02 06
			03 e8 00 35 00 0d 33 d9
			68 65 6c 6c 6f 00 00 00
		`,
			want: []values{{
				Group: 2, Family: 5, HWProtocol: 0x0800, Hook: 0, Prefix: "tagged ", InDev: 2,
				HWAddr:    unhex("9e 40 e1 0f 35 f4"),
				HWType:    some(uint16(1)),
				HWLen:     some(uint16(14)),
				HWHeader:  unhex("f6 f7 ea 0d 93 7a 9e 40 e1 0f 35 f4 08 00"),
				Timestamp: micros(1795351603, 741405),
				UID:       some(uint32(0)),
				GID:       some(uint32(0)),
				Seq:       some(uint32(0)),
				VLAN:      some(vlanTag{0x8100, 0xa02a}),
				L2Header:  unhex("f6 f7 ea 0d 93 7a 9e 40 e1 0f 35 f4 08 00"),
				Payload: unhex(`
					45 00 00 21 00 00 00 00 40 11 f6 c0 c0 00 02 05 c0 00 02 06
					03 e8 00 35 00 0d 33 d9 68 65 6c 6c 6f`),
			}},
		},
		{
			// The payload begins with the Ethernet header.
			name: "netdev egress",
			datagram: `
			a4 00 00 00 00 04 00 00
			00 00 00 00 00 00 00 00
			05 00 00 09 08 00 01 00
			08 00 01 00 0c 00 0a 00
			65 67 72 65 73 73 20 00
			08 00 05 00 00 00 00 02
			14 00 03 00 00 00 00 00
			6b 02 e4 33 00 00 00 00
			00 0b 2f e2 08 00 0b 00
			00 00 00 00 08 00 0e 00
			00 00 00 00 08 00 0c 00
			00 00 00 00 12 00 15 00
			6a 3c 08 64 b8 6e 56 9a
			41 bb 3e 06 08 00 00 00
			33 00 09 00 6a 3c 08 64
			b8 6e 56 9a 41 bb 3e 06
			08 00 45 00 00 21 11 a6
			40 00 40 11 a5 22 c0 00
			02 01 c0 00 02 02 c0 41
			00 0e 00 0d 84 22 00 00
			00 00 00 00
		`,
			want: []values{{
				Group: 9, Family: 5, HWProtocol: 0x0800, Hook: 1, Prefix: "egress ", OutDev: 2,
				Timestamp: micros(1795351603, 733154),
				UID:       some(uint32(0)),
				GID:       some(uint32(0)),
				Seq:       some(uint32(0)),
				L2Header:  unhex("6a 3c 08 64 b8 6e 56 9a 41 bb 3e 06 08 00"),
				Payload: unhex(`
					6a 3c 08 64 b8 6e 56 9a 41 bb 3e 06 08 00
					45 00 00 21 11 a6 40 00 40 11 a5 22 c0 00 02 01 c0 00 02 02
					c0 41 00 0e 00 0d 84 22 00 00 00 00 00`),
			}},
		},
	}
}
