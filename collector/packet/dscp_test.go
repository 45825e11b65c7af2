// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "testing"

func TestDSCPName(t *testing.T) {
	for dscp, want := range map[uint8]string{
		0: "cs0", 1: "lephb", 2: "2", 8: "cs1", 10: "af11", 38: "af43", 44: "va", 46: "ef", 47: "47", 48: "cs6",
		56: "cs7", 57: "57", 63: "63",
	} {
		if got := DSCP(dscp).String(); got != want {
			t.Errorf("code point %d is %q, want %q", dscp, got, want)
		}
	}
}
