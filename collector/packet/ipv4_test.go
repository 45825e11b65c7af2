// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

func TestParseIPv4(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		want   fields
	}{
		{name: "TCP", packet: "4500 0034 0000 4000 4006 0000 0a00 0001 0a00 0002", want: known(6, 52)},
		{name: "ICMP", packet: "4500 0054 0000 4000 4001 0000 0a00 0001 0a00 0002", want: known(1, 84)},
		{name: "protocol 0", packet: "4500 0014 0000 4000 4000 0000 0a00 0001 0a00 0002", want: known(0, 20)},
		{name: "protocol 255", packet: "4500 0014 0000 4000 40ff 0000 0a00 0001 0a00 0002", want: known(255, 20)},
		{name: "longest", packet: "4500 ffff 0000 4000 4011 0000 0a00 0001 0a00 0002", want: known(17, 65535)},
		{name: "options", packet: "4600 0020 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000 0009 0009 0008 0000", want: known(17, 32)},
		{name: "cut before the options", packet: "4f00 0050 0000 0000 4011 0000 0a00 0001 0a00 0002", want: known(17, 80)},
		{name: "no payload after the options", packet: "4f00 003c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: known(17, 60)},
		{name: "first fragment", packet: "4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002", want: known(17, 1500)},
		{name: "later fragment", packet: "4500 0040 0001 00b9 4011 0000 0a00 0001 0a00 0002", want: known(17, 64)},
		// Segmentation offload makes packets that are too long for the field (BIG TCP).
		{name: "total length 0", packet: "4500 0000 0000 4000 4006 0000 0a00 0001 0a00 0002", want: known(6, 0)},

		{name: "header length too short", packet: "4400 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: malformed},
		{name: "header length 0", packet: "4000 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: malformed},
		{name: "version 6", packet: nflogtest.IPv6UDP, want: malformed},
		{name: "version 5", packet: "5500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: malformed},
		{name: "version 0", packet: "0500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: malformed},
		{name: "shorter than its header", packet: "4500 0013 0000 0000 4011 0000 0a00 0001 0a00 0002", want: malformed},
		{name: "shorter than its options", packet: "4600 0017 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000", want: malformed},
		{name: "wrong version, one byte", packet: "65", want: malformed},
		{name: "header length too short, one byte", packet: "44", want: malformed},
		{name: "shorter than its header, four bytes", packet: "4500 0013", want: malformed},
		{name: "shorter than its header, to the protocol", packet: "4500 0013 0000 0000 4011", want: malformed},
		{name: "shorter than its options, four bytes", packet: "4600 0017", want: malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkFields(t, tt.want, parseFields(nflog.EtherTypeIPv4, nflogtest.Unhex(tt.packet)))
		})
	}
}
