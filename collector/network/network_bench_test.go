// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// manyCIDRs returns networks like those of country lists, and how many addresses they were made of.
func manyCIDRs(n int, ipv6 bool) []netip.Prefix {
	r := rand.New(rand.NewPCG(1, 2))
	seen := make(map[netip.Prefix]bool)
	var cidrs []netip.Prefix
	for len(cidrs) < n {
		a, bits := randomAddr(r, ipv6), 16+r.IntN(9)
		if ipv6 {
			bits = 29 + r.IntN(20)
		}
		p, _ := a.Prefix(bits)
		if !seen[p] {
			seen[p] = true
			cidrs = append(cidrs, p)
		}
	}
	return cidrs
}

func randomAddr(r *rand.Rand, ipv6 bool) netip.Addr {
	x := r.Uint64()
	if !ipv6 {
		return netip.AddrFrom4([4]byte{1 + byte(x)%223, byte(x >> 8), byte(x >> 16), byte(x >> 24)})
	}
	return netip.AddrFrom16([16]byte{0x20 + byte(x)%16, byte(x >> 8), byte(x >> 16), byte(x >> 24), byte(x >> 32), byte(x >> 40), byte(x >> 48), 15: byte(x >> 56)})
}

// BenchmarkID looks up addresses in 100,000 networks: of some thousand hosts that come again and again, as most traffic has them,
// and of senders who make up a new address for each packet.
func BenchmarkID(b *testing.B) {
	for _, ipv6 := range []bool{false, true} {
		cidrs := manyCIDRs(100_000, ipv6)
		var networks []Network
		for i := range 200 {
			networks = append(networks, Network{Name: fmt.Sprintf("country %d", i), CIDRs: cidrs[i*500 : (i+1)*500]})
		}
		r := newResolver(b, networks...)
		for _, hosts := range []int{1000, 4000, 1 << 20} {
			random := rand.New(rand.NewPCG(3, 4))
			addrs := make([]netip.Addr, hosts)
			for i := range addrs {
				addrs[i] = randomAddr(random, ipv6)
			}
			b.Run(fmt.Sprintf("IPv6=%t/hosts=%d", ipv6, hosts), func(b *testing.B) {
				i := 0
				for b.Loop() {
					r.ID(addrs[i])
					if i++; i == len(addrs) {
						i = 0
					}
				}
			})
		}
	}
}

// BenchmarkNewSet makes a set of 100,000 networks, as a reload does.
func BenchmarkNewSet(b *testing.B) {
	networks := []Network{{Name: "blocked", CIDRs: manyCIDRs(100_000, false)}}
	for b.Loop() {
		if _, err := NewSet(networks); err != nil {
			b.Fatal(err)
		}
	}
}
