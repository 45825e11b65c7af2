// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "strconv"

// A DSCP is a differentiated services code point (RFC 2474), 0 to 63.
type DSCP uint8

// String returns nft's name of the code point, or its number where nft has none.
func (d DSCP) String() string {
	if int(d) < len(dscpNames) && dscpNames[d] != "" {
		return dscpNames[d]
	}
	return strconv.Itoa(int(d))
}

// dscpNames holds nft's names of code points, see "nft describe ip dscp". Code point 0 has several: this is the
// one that nft prints.
var dscpNames = [...]string{
	0x00: "cs0",
	0x01: "lephb",
	0x08: "cs1",
	0x0a: "af11",
	0x0c: "af12",
	0x0e: "af13",
	0x10: "cs2",
	0x12: "af21",
	0x14: "af22",
	0x16: "af23",
	0x18: "cs3",
	0x1a: "af31",
	0x1c: "af32",
	0x1e: "af33",
	0x20: "cs4",
	0x22: "af41",
	0x24: "af42",
	0x26: "af43",
	0x28: "cs5",
	0x2c: "va",
	0x2e: "ef",
	0x30: "cs6",
	0x38: "cs7",
}
