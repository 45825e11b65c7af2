// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "sync"

// A Decoder decodes the datagrams of one group and counts the packets lost between them. A [Reader]
// has its own. Use a Decoder alone for datagrams from another source, such as a netlink capture of a
// machine with this machine's byte order.
//
// Only one goroutine may use a Decoder and what it returns. [Batch.Stats] has the counts.
type Decoder struct {
	batch Batch

	mu    sync.Mutex
	stats Stats // as last published
}

// NewDecoder returns a Decoder for datagrams of the group. It expects them to begin with packet
// number 0.
func NewDecoder(group uint16) *Decoder {
	d := &Decoder{}
	d.batch = Batch{decoder: d, group: group, templates: newTemplateCache()}
	return d
}

// Decode returns the batch of packets that a datagram holds. It accepts any bytes: it skips and counts
// malformed messages, and never fails.
//
// The batch and its packets borrow the datagram. Don't change it until the next call of Decode, which
// ends the batch: packets that were not iterated over are counted then.
func (d *Decoder) Decode(datagram []byte) *Batch {
	b := d.begin(datagram)
	b.stats.Datagrams++
	return b
}

// begin ends the current batch and starts the batch of the next datagram.
func (d *Decoder) begin(datagram []byte) *Batch {
	b := &d.batch
	b.drain()
	b.data, b.offset, b.open = datagram, 0, true
	b.lostBefore = b.stats.Lost
	return b
}

// published returns the counts up to the last batch whose packets were all iterated over, or that another
// batch followed.
func (d *Decoder) published() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// publish makes the counts of the decoding goroutine visible to Reader.Stats.
func (d *Decoder) publish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats = d.batch.stats
}
