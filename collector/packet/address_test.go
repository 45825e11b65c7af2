// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestAddressForms checks that IPv4, IPv6 and Addresses agree on packets that are cut anywhere.
func TestAddressForms(t *testing.T) {
	for _, hex := range []string{nflogtest.IPv4UDP, nflogtest.IPv6UDP, nflogtest.ARPRequest, "f5"} {
		whole := nflogtest.Unhex(hex)
		for n := range len(whole) + 1 {
			for _, hwProtocol := range []uint16{0x0800, 0x86dd, 0x0806} {
				m := nflogtest.Message{Family: 7, Hook: 1, HWProtocol: hwProtocol, Payload: whole[:n]}
				var h Parsed
				h.Parse(packetOf(m))
				source, destination, ok := h.Addresses()
				source4, destination4, ok4 := h.IPv4()
				source6, destination6, ok6 := h.IPv6()
				if ok4 && ok6 || ok != (ok4 || ok6) {
					t.Fatalf("%s to %d bytes: addresses %t, of IPv4 %t, of IPv6 %t", hex, n, ok, ok4, ok6)
				}
				if ok4 && (source != addr4(source4) || destination != addr4(destination4)) {
					t.Errorf("%s: %v to %v, of IPv4 %x to %x", hex, source, destination, source4, destination4)
				}
				if ok6 && (source != netip.AddrFrom16(*source6) || destination != netip.AddrFrom16(*destination6)) {
					t.Errorf("%s: %v to %v, of IPv6 %x to %x", hex, source, destination, source6, destination6)
				}
			}
		}
	}
}

func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a)))
}
