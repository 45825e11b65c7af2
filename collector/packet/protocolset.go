// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

// A ProtocolSet is a set of protocols that are told apart, one bit each. A sender can make up 256 transport protocols and
// 65,536 EtherTypes, so all others are one.
type ProtocolSet [protocolUnknown / 64]uint64

// Add adds a protocol that [ParseProtocol] has returned.
func (s *ProtocolSet) Add(p Protocol) { s[p/64] |= 1 << (p % 64) }

// AddAll adds all protocols.
func (s *ProtocolSet) AddAll() {
	for i := range s {
		s[i] = 1<<64 - 1
	}
}

// Shown returns the protocol that a packet's protocol shows as: itself, or [ProtocolOther] if the set does not have it. An unknown
// protocol stays unknown.
func (s *ProtocolSet) Shown(p Protocol) Protocol {
	if p < protocolUnknown && s[p/64]>>(p%64)&1 == 0 {
		return ProtocolOther
	}
	return p
}
