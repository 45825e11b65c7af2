// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"iter"
	"sync"
)

// Types of netlink's own messages, include/uapi/linux/netlink.h. Those of subsystems begin at
// typeMinimum.
const (
	typeError   = 2    // NLMSG_ERROR
	typeMinimum = 0x10 // NLMSG_MIN_TYPE
)

// A Decoder decodes the datagrams of one group and keeps account of what was lost between them.
// A [Reader] has one of its own; a Decoder alone is for datagrams that come from elsewhere, such
// as a capture of netlink on this machine, or one of its byte order. One goroutine may use it and what
// it returns; Stats may be called from any.
type Decoder struct {
	batch Batch

	mu    sync.Mutex
	stats Stats // as last published
}

// NewDecoder returns a Decoder of datagrams of the group, which begin with packet number 0.
func NewDecoder(group uint16) *Decoder {
	d := &Decoder{}
	d.batch = Batch{decoder: d, group: group, shapes: newShapeCache()}
	return d
}

// Decode returns the batch of packets that a datagram holds. Any bytes will do: what is malformed is
// skipped and counted, and never an error.
//
// The batch and its packets borrow the datagram, which must not change until the next call of Decode.
// With that the batch before ends: packets that were not iterated over are counted.
func (d *Decoder) Decode(datagram []byte) *Batch {
	b := d.begin(datagram)
	b.stats.Datagrams++
	return b
}

// begin makes the batch that of another datagram.
func (d *Decoder) begin(datagram []byte) *Batch {
	b := &d.batch
	b.settle()
	b.data, b.offset, b.open = datagram, 0, true
	b.lostBefore = b.stats.Lost
	return b
}

// Stats returns the counts as of the last batch whose packets were all iterated over, or that
// another one followed. They are the caller's to keep.
func (d *Decoder) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// publish makes the counts of the decoding goroutine known.
func (d *Decoder) publish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats = d.batch.stats
}

// A Batch is one datagram: packets of one group that the kernel delivered together, in the order
// in which it logged them.
//
// It is borrowed, and so are its packets: they are good until the next call of [Reader.Receive] or
// [Decoder.Decode], which uses their memory again.
type Batch struct {
	decoder *Decoder
	group   uint16

	data       []byte
	offset     int
	open       bool // there is something left to count
	lostBefore uint64

	next     uint32 // the sequence number that the next packet should have
	numbered bool   // a packet with a number has come
	stats    Stats  // of all batches
	shapes   shapeCache
}

// Group returns the number of the packets' group.
func (b *Batch) Group() uint16 { return b.group }

// Packets iterates over the packets, each of them once: where one loop was left, the next goes on.
// They are borrowed like the batch; what has to live longer, [Packet.Attribute] copies.
func (b *Batch) Packets() iter.Seq[Packet] {
	return func(yield func(Packet) bool) { b.all(yield) }
}

// Lost returns how many packets of the group were lost since its batch before, as far as this one's
// packets have been iterated over: a gap counts when the packet behind it is reached.
func (b *Batch) Lost() uint64 { return b.stats.Lost - b.lostBefore }

// Stats returns the counts of all batches of the group, this one as far as its packets have been
// iterated over. They are the caller's to keep.
func (b *Batch) Stats() Stats { return b.stats }

// settle counts the packets that are left.
func (b *Batch) settle() {
	b.all(func(Packet) bool { return true })
}

func (b *Batch) all(yield func(Packet) bool) {
	if !b.open {
		return
	}
	for b.offset < len(b.data) {
		msg := b.message()
		if msg == nil {
			continue
		}
		shape := b.shapes.find(msg)
		if shape == nil {
			// The next packet will miss its number, so that it counts as lost.
			b.stats.MalformedAttributes++
			continue
		}
		if !b.number(msg, shape.layout.at[attrSeq]) {
			b.stats.MalformedAttributes++
			continue
		}
		b.stats.Packets++
		b.stats.UnknownAttributes += uint64(shape.layout.unknown)
		if !yield(Packet{msg, shape}) {
			return
		}
	}
	b.open = false
	b.decoder.publish()
}

// number takes account of the sequence number that a packet's message has at an offset, and reports
// whether it may be as it is. The kernel binds a group before it looks at what else the request says,
// so the first packets may have no number, nor take one.
func (b *Batch) number(msg []byte, at uint32) bool {
	if at == 0 {
		return !b.numbered
	}
	seq := binary.BigEndian.Uint32(msg[at:])
	b.stats.Lost += uint64(seq - b.next)
	b.next, b.numbered = seq+1, true
	return true
}

// message takes the next message off the datagram and returns it if it is a packet's, else nil.
func (b *Batch) message() []byte {
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
	// Nothing tells where the next message begins.
	b.stats.MalformedMessages++
	b.offset = len(b.data)
	return nil
}
