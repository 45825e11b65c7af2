// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkCountRules counts the packets of floods that pass one rule or many, as they come from the kernel.
func BenchmarkCountRules(b *testing.B) {
	ipv6 := append(nflogtest.Unhex(nflogtest.IPv6Header("0578", "11")), make([]byte, 88)...)
	for _, bb := range []struct {
		name  string
		rules int
		ipv6  bool
	}{{"1", 1, false}, {"20", 20, false}, {"200", 200, false}, {"IPv6", 20, true}} {
		b.Run(bb.name, func(b *testing.B) {
			var datagram []byte
			packets := 0
			for len(datagram) < 250_000 {
				m := nflogtest.Message{
					Group: 100, Family: 2, HWProtocol: 0x0800, Hook: 1, InDev: 1, Ethernet: true, Timestamp: 1,
					Prefix: fmt.Sprintf("bench-%03d: ", packets%bb.rules), Seq: uint32(packets), Payload: nflogtest.UDP(228, 128),
				}
				if bb.ipv6 {
					m.Family, m.HWProtocol, m.Payload = 10, 0x86dd, ipv6
				}
				datagram = m.Append(datagram)
				packets++
			}
			benchmarkCount(b, Config{}, nflogtest.Done(datagram), packets)
		})
	}
}
