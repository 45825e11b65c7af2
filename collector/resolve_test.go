// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
)

// TestResolveKeyLimit resolves more keys than a table remembers to a few label sets.
func TestResolveKeyLimit(t *testing.T) {
	const devices = minKeys + minKeys/2
	f := newFeed(t, Config{})
	for i := range uint32(devices) {
		f.names.names[10+i] = fmt.Sprintf("veth%d", i%3)
	}
	for range 2 {
		for i := range uint32(devices) {
			f.count(udpInput("a", 10+i, 100), udpInput("", 2, 100))
			if f.table.keys.used > minKeys {
				t.Fatalf("%d keys are remembered, more than %d", f.table.keys.used, minKeys)
			}
		}
	}
	const each = 2 * devices / 3
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "veth0", "", "udp"}: {each, each * 100},
		{"a", "ip", "input", "veth1", "", "udp"}: {each, each * 100},
		{"a", "ip", "input", "veth2", "", "udp"}: {each, each * 100},
		{"", "ip", "input", "eth0", "", "udp"}:   {2 * devices, 2 * devices * 100},
	})
}
