// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestOptionalHash checks that the hashes of usual optional values spread over the slots of a hash table nearly as well as
// random numbers.
func TestOptionalHash(t *testing.T) {
	const n, slots = 2048, 4096
	tests := []struct {
		name     string
		optional func(i uint32) optional
	}{
		{name: "marks", optional: func(i uint32) optional { return optional{mark: i} }},
		{name: "high marks", optional: func(i uint32) optional { return optional{mark: i << 16} }},
		{name: "users", optional: func(i uint32) optional {
			return optional{owner: uint64(1000+i)<<32 | 100, packed: 1<<uidAt | 1<<gidAt}
		}},
		{name: "users with groups", optional: func(i uint32) optional {
			return optional{owner: uint64(1000+i)<<32 | uint64(1000+i), packed: 1<<uidAt | 1<<gidAt}
		}},
		{name: "groups", optional: func(i uint32) optional { return optional{owner: uint64(1000 + i), packed: 1 << gidAt} }},
		{name: "VLANs", optional: func(i uint32) optional { return optional{packed: uint64(i|hasVLAN) << vlanAt} }},
		{name: "ports", optional: func(i uint32) optional { return optional{packed: uint64(i|1<<16) << portAt} }},
		{name: "flags, DSCP and ports", optional: func(i uint32) optional {
			return optional{packed: uint64(i%8+1)<<tcpKindAt | uint64(i/8%64|hasDSCP)<<dscpAt | uint64(i/512+1)<<portAt}
		}},
		{name: "ICMP types, states and marks", optional: func(i uint32) optional {
			return optional{mark: i / 256, packed: uint64(i%64|hasICMPType)<<icmpTypeAt | uint64(i/64%4|hasConntrack)<<conntrackAt}
		}},
		{name: "sources", optional: func(i uint32) optional { return optional{addresses: uint64(i) << 32} }},
		{name: "destinations", optional: func(i uint32) optional { return optional{addresses: uint64(i)} }},
		{name: "sources and destinations", optional: func(i uint32) optional {
			return optional{addresses: uint64(i/64)<<32 | uint64(i%64)}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var taken [slots]bool
			shared := 0
			for i := range uint32(n) {
				slot := tt.optional(i).hash() >> 52 // as in keyIndex
				if taken[slot] {
					shared++
				}
				taken[slot] = true
			}
			// For random numbers the mean is 436, with a standard deviation of 16.
			if shared > 500 {
				t.Errorf("%d of %d share a slot", shared, n)
			}
		})
	}
}

// TestOptionalEqual checks that optional are equal for packets with the same label values.
func TestOptionalEqual(t *testing.T) {
	bridged := func(tag uint16) nflogtest.Message {
		return nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: tag, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)}
	}
	tracked := func(info uint32) nflogtest.Message {
		return nflogtest.Message{Family: 2, HWProtocol: 0x0800, Conntrack: conntrack, CTInfo: info}
	}
	tests := []struct {
		name string
		a, b nflogtest.Message
	}{
		{name: "mark outside the mask", a: nflogtest.Message{Family: 2, Mark: 0x10001}, b: nflogtest.Message{Family: 2}},
		{name: "established", a: tracked(0), b: tracked(3)},
		{name: "related", a: tracked(1), b: tracked(4)},
		{name: "priorities of a tag in the message", a: bridged(0x0005), b: bridged(0xf005)},
		{
			name: "priorities of a tag in the packet",
			a:    nflogtest.Message{Family: 7, HWProtocol: 0x8100, Payload: nflogtest.Unhex("0005 0800" + nflogtest.IPv4UDP)},
			b:    nflogtest.Message{Family: 7, HWProtocol: 0x8100, Payload: nflogtest.Unhex("f005 0800" + nflogtest.IPv4UDP)},
		},
		{name: "DSCP of IPv4 and IPv6", a: ipPacket("4578 001c 0000 0000 402f 0000 0a00 0001 0a00 0002"), b: ipPacket("6783" + nflogtest.IPv6Header("0008", "2f")[4:])},
		{name: "ports of a range", a: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 0400 0008 0000"), b: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 bfff 0008 0000")},
		{name: "ports of TCP and UDP", a: ipPacket(nflogtest.IPv4Header("001c", "06") + "0009 01bb"), b: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 01bb")},
		{name: "flags", a: ipPacket(nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + "5010"), b: ipPacket(nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + "5018")},
		{name: "types of ICMP and ICMPv6", a: ipPacket(nflogtest.IPv4Header("001c", "01") + "0800"), b: ipPacket(nflogtest.IPv6Header("0008", "3a") + "8000")},
		{name: "types of ICMP and ICMPv6, without a name", a: ipPacket(nflogtest.IPv4Header("001c", "01") + "c800"), b: ipPacket(nflogtest.IPv6Header("0008", "3a") + "c800")},
	}
	x := newTestExtractor(t, 0xff00, LabelNames()...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var of [2]optional
			for i, m := range []nflogtest.Message{tt.a, tt.b} {
				of[i] = extractMessage(&x, m)
			}
			if diff := cmp.Diff(optionalValues(of[0]), optionalValues(of[1])); diff != "" {
				t.Fatalf("the values are not the same (-a +b):\n%s", diff)
			}
			if of[0] != of[1] {
				t.Errorf("the optional values are %+v and %+v", of[0], of[1])
			}
		})
	}
}
