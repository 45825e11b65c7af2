// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import "github.com/nflog-exporter/nflog_exporter/nflog"

// conntrackCaptures returns packets with their connections. The attributes of each connection come from
// ctnetlink of Linux 6.18, for a connection on the loopback interface. They are in the order of
// __ctnetlink_glue_build (net/netfilter/nf_conntrack_netlink.c). Only a kernel with
// CONFIG_NETFILTER_NETLINK_GLUE_CT puts them into messages of nfnetlink_log, so the rest of each message is
// made by hand.
func conntrackCaptures() []capture {
	all := []capture{
		{
			name: "conntrack, new",
			datagram: `
			fc 00 00 00 00 04 00 00 00 00 00 00 00 00 00 00
			02 00 00 64 08 00 01 00 08 00 03 00 09 00 0a 00
			6e 65 77 20 00 00 00 00 08 00 05 00 00 00 00 01
			08 00 0b 00 00 00 00 00 08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 00 8c 00 12 80 34 00 01 80
			14 00 01 80 08 00 01 00 7f 00 00 01 08 00 02 00
			7f 00 00 01 1c 00 02 80 05 00 01 00 11 00 00 00
			06 00 02 00 9c 40 00 00 06 00 03 00 00 35 00 00
			34 00 02 80 14 00 01 80 08 00 01 00 7f 00 00 01
			08 00 02 00 7f 00 00 01 1c 00 02 80 05 00 01 00
			11 00 00 00 06 00 02 00 00 35 00 00 06 00 03 00
			9c 40 00 00 08 00 0c 00 59 23 a5 f6 08 00 03 00
			00 00 00 08 08 00 07 00 00 00 00 1d 08 00 08 00
			00 00 00 00 08 00 13 00 00 00 00 02 20 00 09 00
			45 00 00 1d 00 00 40 00 40 11 00 00 7f 00 00 01
			7f 00 00 01 9c 40 00 35 00 09 00 00
		`,
			want: []values{{
				Prefix:          "new ",
				Seq:             some(uint32(0)),
				ConntrackInfo:   some(nflog.ConntrackNew),
				ConntrackStatus: some(nflog.StatusConfirmed),
				Payload:         unhex("4500001d000040004011 00007f0000017f000001 9c40003500090000"),
			}},
		},
		{
			// Protocol information follows the status.
			name: "conntrack, reply",
			datagram: `
			28 01 00 00 00 04 00 00 00 00 00 00 00 00 00 00
			02 00 00 64 08 00 01 00 08 00 03 00 09 00 0a 00
			74 63 70 20 00 00 00 00 08 00 05 00 00 00 00 01
			08 00 0b 00 00 00 00 00 08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 01 bc 00 12 80 34 00 01 80
			14 00 01 80 08 00 01 00 7f 00 00 01 08 00 02 00
			7f 00 00 01 1c 00 02 80 05 00 01 00 06 00 00 00
			06 00 02 00 9c 41 00 00 06 00 03 00 00 50 00 00
			34 00 02 80 14 00 01 80 08 00 01 00 7f 00 00 01
			08 00 02 00 7f 00 00 01 1c 00 02 80 05 00 01 00
			06 00 00 00 06 00 02 00 00 50 00 00 06 00 03 00
			9c 41 00 00 08 00 0c 00 5c 20 73 fd 08 00 03 00
			00 00 00 0e 08 00 07 00 00 06 97 7f 30 00 04 80
			2c 00 01 80 05 00 01 00 03 00 00 00 05 00 02 00
			0a 00 00 00 05 00 03 00 0a 00 00 00 06 00 04 00
			23 00 00 00 06 00 05 00 23 00 00 00 08 00 08 00
			00 00 00 00 08 00 13 00 00 00 00 03 1c 00 09 00
			45 00 00 28 00 00 40 00 40 06 00 00 7f 00 00 01
			7f 00 00 01 00 50 9c 41
		`,
			want: []values{{
				Prefix:          "tcp ",
				Seq:             some(uint32(1)),
				ConntrackInfo:   some(nflog.ConntrackEstablishedReply),
				ConntrackStatus: some(nflog.StatusSeenReply | nflog.StatusAssured | nflog.StatusConfirmed),
				Payload:         unhex("45000028000040004006 00007f0000017f000001 00509c41"),
			}},
		},
		{
			name: "conntrack, NAT",
			datagram: `
			fc 00 00 00 00 04 00 00 00 00 00 00 00 00 00 00
			02 00 00 64 08 00 01 00 08 00 03 00 09 00 0a 00
			6e 61 74 20 00 00 00 00 08 00 05 00 00 00 00 01
			08 00 0b 00 00 00 00 00 08 00 0e 00 00 00 00 00
			08 00 0c 00 00 00 00 02 8c 00 12 80 34 00 01 80
			14 00 01 80 08 00 01 00 7f 00 00 01 08 00 02 00
			7f 00 00 01 1c 00 02 80 05 00 01 00 11 00 00 00
			06 00 02 00 9c 40 00 00 06 00 03 00 00 63 00 00
			34 00 02 80 14 00 01 80 08 00 01 00 7f 00 00 01
			08 00 02 00 7f 00 00 01 1c 00 02 80 05 00 01 00
			11 00 00 00 06 00 02 00 00 35 00 00 06 00 03 00
			9c 40 00 00 08 00 0c 00 73 ba 34 52 08 00 03 00
			00 00 01 aa 08 00 07 00 00 00 00 1d 08 00 08 00
			00 00 00 00 08 00 13 00 00 00 00 00 20 00 09 00
			45 00 00 1d 00 00 40 00 40 11 00 00 7f 00 00 01
			7f 00 00 01 9c 40 00 63 00 09 00 00
		`,
			want: []values{{
				Prefix:        "nat ",
				Seq:           some(uint32(2)),
				ConntrackInfo: some(nflog.ConntrackEstablished),
				ConntrackStatus: some(nflog.StatusSeenReply | nflog.StatusConfirmed | nflog.StatusDestNAT |
					nflog.StatusSourceNATDone | nflog.StatusDestNATDone),
				Payload: unhex("4500001d000040004011 00007f0000017f000001 9c40006300090000"),
			}},
		},
	}
	for _, c := range all {
		v := &c.want[0]
		v.Group, v.Family, v.HWProtocol, v.Hook, v.OutDev = group, 2, 0x0800, 3, 1
		v.UID, v.GID = some(uint32(0)), some(uint32(0))
		// The header and six attributes come before the connection, its info and the payload after it.
		datagram := c.bytes()
		const from, behind = 76, 8 + 4
		v.Conntrack = datagram[from : len(datagram)-behind-len(v.Payload)]
	}
	return all
}
