// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "strconv"

// dscpName returns the value of the label dscp: nft's name, or the number of a code point that it has
// none for.
func dscpName(dscp uint8) string {
	if int(dscp) < len(dscpNames) && dscpNames[dscp] != "" {
		return dscpNames[dscp]
	}
	return strconv.Itoa(int(dscp))
}

// dscpNames holds nft's name of each code point that has one, as "nft describe ip dscp" lists them. Of
// the names of 0 it is the one that nft prints.
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
