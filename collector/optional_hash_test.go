// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "testing"

// TestExtrasHash checks that extras as they come share slots of a hash table no more often than random
// numbers would.
func TestExtrasHash(t *testing.T) {
	const n, slots = 2048, 4096
	tests := []struct {
		name   string
		extras func(i uint32) extras
	}{
		{name: "marks", extras: func(i uint32) extras { return extras{mark: i} }},
		{name: "high marks", extras: func(i uint32) extras { return extras{mark: i << 16} }},
		{name: "users", extras: func(i uint32) extras { return extras{uid: 1000 + i, gid: 100, small: 1<<uidAt | 1<<gidAt} }},
		{name: "users with groups", extras: func(i uint32) extras { return extras{uid: 1000 + i, gid: 1000 + i, small: 1<<uidAt | 1<<gidAt} }},
		{name: "groups", extras: func(i uint32) extras { return extras{gid: 1000 + i, small: 1 << gidAt} }},
		{name: "VLANs", extras: func(i uint32) extras { return extras{small: uint64(i|hasVLAN) << vlanAt} }},
		{name: "ports", extras: func(i uint32) extras { return extras{small: uint64(portClass(i)|portNamed) << portAt} }},
		{name: "flags, DSCP and ports", extras: func(i uint32) extras {
			return extras{small: uint64(i%8+1)<<tcpFlagsAt | uint64(i/8%64|hasDSCP)<<dscpAt | uint64(i/512+1)<<portAt}
		}},
		{name: "ICMP types, states and marks", extras: func(i uint32) extras {
			return extras{mark: i / 256, small: uint64(i%64|hasICMPType)<<icmpTypeAt | uint64(i/64%4|hasConntrack)<<conntrackAt}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var taken [slots]bool
			shared := 0
			for i := range uint32(n) {
				slot := tt.extras(i).hash() >> 16 % slots // as keyIndex takes it
				if taken[slot] {
					shared++
				}
				taken[slot] = true
			}
			// Of random numbers it would be 436, with a standard deviation of 16.
			if shared > 500 {
				t.Errorf("%d of %d share a slot", shared, n)
			}
		})
	}
}
