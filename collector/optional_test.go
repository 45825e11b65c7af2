// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "testing"

// TestOptionalHash checks that optional as they come share slots of a hash table no more often than random
// numbers would.
func TestOptionalHash(t *testing.T) {
	const n, slots = 2048, 4096
	tests := []struct {
		name     string
		optional func(i uint32) optional
	}{
		{name: "marks", optional: func(i uint32) optional { return optional{mark: i} }},
		{name: "high marks", optional: func(i uint32) optional { return optional{mark: i << 16} }},
		{name: "users", optional: func(i uint32) optional { return optional{uid: 1000 + i, gid: 100, packed: 1<<uidAt | 1<<gidAt} }},
		{name: "users with groups", optional: func(i uint32) optional { return optional{uid: 1000 + i, gid: 1000 + i, packed: 1<<uidAt | 1<<gidAt} }},
		{name: "groups", optional: func(i uint32) optional { return optional{gid: 1000 + i, packed: 1 << gidAt} }},
		{name: "VLANs", optional: func(i uint32) optional { return optional{packed: uint64(i|hasVLAN) << vlanAt} }},
		{name: "ports", optional: func(i uint32) optional { return optional{packed: uint64(portClass(i)|portNamed) << portAt} }},
		{name: "flags, DSCP and ports", optional: func(i uint32) optional {
			return optional{packed: uint64(i%8+1)<<tcpKindAt | uint64(i/8%64|hasDSCP)<<dscpAt | uint64(i/512+1)<<portAt}
		}},
		{name: "ICMP types, states and marks", optional: func(i uint32) optional {
			return optional{mark: i / 256, packed: uint64(i%64|hasICMPType)<<icmpTypeAt | uint64(i/64%4|hasConntrack)<<conntrackAt}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var taken [slots]bool
			shared := 0
			for i := range uint32(n) {
				slot := tt.optional(i).hash() >> 16 % slots // as keyIndex takes it
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
