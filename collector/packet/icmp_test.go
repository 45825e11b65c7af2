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

// TestICMPTypeCanonical checks that types have the same canonical type if and only if they have the same name.
func TestICMPTypeCanonical(t *testing.T) {
	byName := make(map[string]ICMPType)
	for typ := range 2 * icmpv6 {
		canonical := typ.Canonical()
		if canonical.String() != typ.String() {
			t.Errorf("the canonical type of %q is %q", typ, canonical)
		}
		if first, ok := byName[typ.String()]; ok && first != canonical {
			t.Errorf("%q has the canonical types %#x and %#x", typ, uint16(first), uint16(canonical))
		}
		byName[typ.String()] = canonical
	}
}
