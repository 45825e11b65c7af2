// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "testing"

func TestICMPTypeNames(t *testing.T) {
	for typ, want := range map[ICMPType]string{
		0: "echo-reply", 3: "destination-unreachable", 8: "echo-request", 11: "time-exceeded", 18: "address-mask-reply",
		1: "1", 19: "19", 128: "128", 255: "255",

		icmpv6 | 1: "destination-unreachable", icmpv6 | 2: "packet-too-big", icmpv6 | 3: "time-exceeded",
		icmpv6 | 128: "echo-request", icmpv6 | 129: "echo-reply", icmpv6 | 132: "mld-listener-done",
		icmpv6 | 135: "nd-neighbor-solicit", icmpv6 | 143: "mld2-listener-report",
		icmpv6: "0", icmpv6 | 8: "8", icmpv6 | 139: "139", icmpv6 | 255: "255",
	} {
		if got := typ.String(); got != want {
			t.Errorf("type %#x is %q, want %q", uint16(typ), got, want)
		}
	}
}

// TestICMPTypeCanonical checks that types are one where they are called the same, and only there.
func TestICMPTypeCanonical(t *testing.T) {
	byName := make(map[string]ICMPType)
	for typ := range 2 * icmpv6 {
		canonical := typ.Canonical()
		if canonical.String() != typ.String() {
			t.Errorf("canonical is %q of %q", canonical, typ)
		}
		if first, ok := byName[typ.String()]; ok && first != canonical {
			t.Errorf("%q is both %#x and %#x", typ, uint16(first), uint16(canonical))
		}
		byName[typ.String()] = canonical
	}
}

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
