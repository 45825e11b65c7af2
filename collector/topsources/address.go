// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// An address is a source: an address of IPv4, or the beginning of one of IPv6.
type address struct {
	hi, lo uint64
	ipv6   bool
}

// A mask is the part of IPv6 addresses by which sources are told apart.
type mask struct {
	hi, lo uint64
	bits   int
}

func newMask(length int) mask {
	return mask{
		hi:   ^uint64(0) << max(0, 64-length),
		lo:   ^uint64(0) << min(64, 128-length),
		bits: length,
	}
}

// address returns the source that an address of IPv6 belongs to.
func (m *mask) address(b *[16]byte) address {
	return address{binary.BigEndian.Uint64(b[:8]) & m.hi, binary.BigEndian.Uint64(b[8:]) & m.lo, true}
}

// text returns an address as people write it: a network for part of one.
func (m mask) text(a address) string {
	if !a.ipv6 {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(a.lo)))).String()
	}
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a.hi), a.lo)
	addr := netip.AddrFrom16([16]byte(b))
	if m.bits == 128 {
		return addr.String()
	}
	return netip.PrefixFrom(addr, m.bits).String()
}

// A seed makes hashes that senders can't predict, so that they can't choose addresses whose hashes collide.
type seed [2]uint64

// hash returns a hash of an address, all of whose bits are good.
func (s seed) hash(a address) uint64 {
	hi, lo := bits.Mul64(a.hi^s[0], a.lo^s[1])
	h := hi ^ lo
	if a.ipv6 {
		h += s[0]
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
