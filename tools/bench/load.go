// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "fmt"

const (
	maxRules = 1000
	// maxSize is the longest UDP payload of an IPv4 packet. The MTU of loopback,
	// 65536, takes such a packet without fragmentation.
	maxSize = 65507
)

// load describes the packets and the rules of a measurement.
type load struct {
	rules    int  // that log each packet
	prefixes int  // different prefixes of the rules
	packets  int  // to send
	size     int  // bytes of UDP payload in each
	pps      int  // packets per second, as many as possible if 0
	ipv6     bool // IPv6 instead of IPv4
}

// validate returns an error for the first flag whose value is out of range.
func (l load) validate() error {
	for _, flag := range []struct {
		name            string
		value, min, max int
	}{
		{"rules", l.rules, 1, maxRules},
		{"prefixes", l.prefixes, 1, l.rules},
		{"packets", l.packets, 1, 1_000_000_000},
		{"size", l.size, 0, maxSize},
		{"pps", l.pps, 0, 1_000_000_000},
	} {
		if flag.value < flag.min || flag.value > flag.max {
			return fmt.Errorf("-%s %d: want %d to %d", flag.name, flag.value, flag.min, flag.max)
		}
	}
	return nil
}

// String describes the load.
func (l load) String() string {
	family, pace := "IPv4", "as fast as possible"
	if l.ipv6 {
		family = "IPv6"
	}
	if l.pps > 0 {
		pace = fmt.Sprintf("%d per second", l.pps)
	}
	return fmt.Sprintf("UDP over %s, packets: %d, payload: %d bytes, pace: %s, rules that log each: %d, prefixes: %d",
		family, l.packets, l.size, pace, l.rules, l.prefixes)
}
