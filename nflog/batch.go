// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"iter"
)

// A Batch is one datagram: packets of one group that the kernel delivered together, in the order in
// which it logged them.
//
// A batch and its packets are borrowed: they are valid until the next call of [Reader.Receive] or
// [Decoder.Decode], which reuses their memory.
type Batch struct {
	decoder *Decoder
	group   uint16

	data       []byte
	offset     int
	open       bool // messages are left, or the counts are not published yet
	lostBefore uint64

	nextSeq   uint32 // expected sequence number of the next packet
	numbered  bool   // a packet with a sequence number was received
	stats     Stats  // of all batches
	templates templateCache
}

// Group returns the number of the packets' group.
func (b *Batch) Group() uint16 { return b.group }

// Packets iterates over the packets. Each packet is yielded once: a second loop continues where the
// first one stopped. Packets are borrowed like the batch; [Packet.Attribute] returns a copy to keep.
func (b *Batch) Packets() iter.Seq[Packet] {
	return func(yield func(Packet) bool) { b.all(yield) }
}

// Lost returns how many packets of the group were lost since the group's previous batch, up to the
// last packet iterated over: a gap counts when the loop reaches the packet behind it.
func (b *Batch) Lost() uint64 { return b.stats.Lost - b.lostBefore }

// Stats returns the counts of all batches of the group, including this one up to the last packet
// iterated over. The caller may keep them.
func (b *Batch) Stats() Stats { return b.stats }

// drain counts the remaining packets.
func (b *Batch) drain() {
	b.all(func(Packet) bool { return true })
}

func (b *Batch) all(yield func(Packet) bool) {
	if !b.open {
		return
	}
	for b.offset < len(b.data) {
		msg := b.nextMessage()
		if msg == nil {
			continue
		}
		t := b.templates.find(msg)
		if t == nil {
			// The message used up a sequence number, so the gap counts as lost with the next packet.
			b.stats.MalformedAttributes++
			continue
		}
		if !b.checkSequence(msg, t.layout.at[attrSeq]) {
			b.stats.MalformedAttributes++
			continue
		}
		b.stats.Packets++
		b.stats.UnknownAttributes += uint64(t.layout.unknown)
		if !yield(Packet{msg, t}) {
			return
		}
	}
	b.open = false
	b.decoder.publish()
}

// checkSequence counts the packets lost before a message. The message has its sequence number at the
// offset at, or none if at is 0. checkSequence returns false if the number is missing but must not be.
// Only the first packets may lack it: the kernel binds the group before it reads the rest of the
// request, which turns numbering on.
func (b *Batch) checkSequence(msg []byte, at uint32) bool {
	if at == 0 {
		return !b.numbered
	}
	seq := binary.BigEndian.Uint32(msg[at:])
	b.stats.Lost += uint64(seq - b.nextSeq)
	b.nextSeq, b.numbered = seq+1, true
	return true
}

// nextMessage takes the next message off the datagram. It returns nil if the message is no packet of
// the group.
func (b *Batch) nextMessage() []byte {
	rest := b.data[b.offset:]
	if len(rest) >= headerLen {
		n := int(binary.NativeEndian.Uint32(rest))
		if n >= headerLen && n <= len(rest) {
			b.offset += align(n)
			typ := binary.NativeEndian.Uint16(rest[4:])
			if typ == typePacket && n >= attributesAt && binary.BigEndian.Uint16(rest[headerLen+2:]) == b.group {
				return rest[:n:n]
			}
			if typ >= typeMinimum {
				b.stats.MalformedMessages++
			}
			return nil
		}
	}
	// The length is wrong, so the start of the next message is unknown.
	b.stats.MalformedMessages++
	b.offset = len(b.data)
	return nil
}
