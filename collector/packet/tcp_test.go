// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "testing"

func TestTCPFlags(t *testing.T) {
	const (
		fin, syn, rst, psh, ack, urg, ece, cwr = 1, 2, 4, 8, 16, 32, 64, 128
	)
	for flags, want := range map[uint8]string{
		syn: "syn", syn | ece | cwr: "syn", syn | psh: "syn", syn | urg: "syn",
		syn | ack: "syn-ack", syn | ack | ece: "syn-ack", syn | ack | psh: "syn-ack",
		ack: "ack", ack | psh: "ack", ack | urg: "ack", ack | psh | urg: "ack", ack | ece | cwr: "ack",
		fin: "fin", fin | ack: "fin", fin | psh | ack: "fin", fin | psh: "fin", fin | urg: "fin", fin | psh | urg | ack: "fin",
		rst: "rst", rst | ack: "rst", rst | syn: "rst", rst | fin: "rst", rst | psh | urg: "rst", 0xff: "rst",
		rst | fin | psh | urg: "rst",

		0:               "null",
		fin | psh | urg: "xmas", fin | psh | urg | ece: "xmas",
		syn | fin: "other", syn | fin | ack: "other", syn | fin | psh | urg: "other",
		psh: "other", urg: "other", psh | urg: "other", ece: "other", cwr: "other",
	} {
		if got := TCPFlags(flags).Kind().String(); got != want {
			t.Errorf("flags %#02x are %q, want %q", flags, got, want)
		}
	}
	for flags := range 256 {
		if TCPFlags(flags).Kind().String() == "" {
			t.Errorf("flags %#02x have no name", flags)
		}
	}
}
