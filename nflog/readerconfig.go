// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"fmt"
	"math"
	"time"
)

// Bounds and defaults of a [ReaderConfig].
const (
	MinBatchBuffer = 3776                  // bytes: what a kernel with pages of 4 KiB allocates at least; it ignores less
	MaxBatchBuffer = 131072                // bytes: the kernel ignores more (NFULNL_NLBUFSIZ_MAX)
	MaxCopyRange   = maxPayload            // bytes: what fits an attribute, 65531 (NFULNL_COPY_RANGE_MAX)
	TimeoutUnit    = 10 * time.Millisecond // the step of a queue timeout

	// MaxQueueTimeout is safe from overflow in the kernel, which multiplies by its clock's ticks a
	// second, 1000 at most, in 32 bits. It is some 12 hours.
	MaxQueueTimeout = math.MaxUint32 / 1000 * TimeoutUnit

	DefaultCopyRange      = 128                    // bytes
	DefaultQueueThreshold = 65535                  // packets: more than a batch holds
	DefaultQueueTimeout   = 500 * time.Millisecond // how far packets may lag
	DefaultSocketBuffer   = 16 << 20               // bytes, which the kernel doubles
)

// A ConntrackMode says whether the kernel is asked to send with each packet what it knows of its
// connection. That takes a kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT and the module
// nf_conntrack_netlink, and costs it some hundred bytes a packet.
type ConntrackMode uint8

// What a ConntrackMode may be.
const (
	ConntrackOff       ConntrackMode = iota // don't ask
	ConntrackPreferred                      // ask, and do without where the kernel can't: see [Reader.Conntrack]
	ConntrackRequired                       // ask, and fail with [ErrNoConntrack] where the kernel can't
)

// A ReaderConfig says how a group is read. A zero field stands for its default. A value that can't be had
// is refused, but for the two buffers, which may come out smaller, as said there.
type ReaderConfig struct {
	// NetNS is a descriptor of the network namespace to read in; 0 is the calling thread's. It may
	// be closed when the reader is open. The namespace lives on until the reader is closed.
	NetNS int

	// CopyRange is how many bytes of each packet the kernel copies at most, 1 to MaxCopyRange. A
	// rule may ask for fewer.
	CopyRange uint32

	// NoPayload makes the kernel copy nothing of the packets, whatever CopyRange is. What it tells
	// of them is all there.
	NoPayload bool

	// Conntrack says whether to ask for the packets' connections: see [Packet.ConntrackInfo].
	Conntrack ConntrackMode

	// SeqGlobal makes the kernel number the packets over all groups of the namespace, too, so that
	// those of several can be brought into order: see [Packet.SeqGlobal].
	SeqGlobal bool

	// QueueThreshold is how many packets the kernel gathers at most before it delivers them. A rule
	// may ask for fewer.
	QueueThreshold uint32

	// QueueTimeout is how long a packet waits for others at most before it is delivered, a multiple
	// of TimeoutUnit, MaxQueueTimeout at most.
	QueueTimeout time.Duration

	// BatchBuffer is how many bytes of messages the kernel gathers before it delivers them,
	// MinBatchBuffer to MaxBatchBuffer. It rounds up what it allocates to a power of two, and uses
	// the whole: 256 KiB for MaxBatchBuffer. The default is what QueueThreshold packets need, as far
	// as that goes. It is lowered where the socket buffer would not hold eight of them.
	BatchBuffer uint32

	// SocketBuffer is the size of the socket's receive buffer in bytes. The kernel doubles it, and
	// takes the memory only while packets wait. It is limited by the sysctl net.core.rmem_max for a
	// process without CAP_NET_ADMIN in the initial user namespace: [Reader.SocketStats] tells what
	// came of it.
	SocketBuffer int
}

// withDefaults returns the configuration with defaults for zero fields, or what is wrong with it.
func (c ReaderConfig) withDefaults() (ReaderConfig, error) {
	setDefault(&c.CopyRange, DefaultCopyRange)
	setDefault(&c.QueueThreshold, DefaultQueueThreshold)
	setDefault(&c.QueueTimeout, DefaultQueueTimeout)
	setDefault(&c.BatchBuffer, batchBuffer(c.QueueThreshold, c.CopyRange))
	setDefault(&c.SocketBuffer, DefaultSocketBuffer)
	switch {
	case c.CopyRange > MaxCopyRange:
		return c, fmt.Errorf("copy range %d: more than %d bytes", c.CopyRange, MaxCopyRange)
	case c.QueueTimeout < TimeoutUnit || c.QueueTimeout > MaxQueueTimeout || c.QueueTimeout%TimeoutUnit != 0:
		return c, fmt.Errorf("queue timeout %v: not a multiple of %v from that to %v", c.QueueTimeout, TimeoutUnit, MaxQueueTimeout)
	case c.BatchBuffer < MinBatchBuffer || c.BatchBuffer > MaxBatchBuffer:
		return c, fmt.Errorf("batch buffer %d: not from %d to %d bytes", c.BatchBuffer, MinBatchBuffer, MaxBatchBuffer)
	case c.SocketBuffer < 0 || c.SocketBuffer > math.MaxInt32/2:
		return c, fmt.Errorf("socket buffer %d: not from 0 to %d bytes", c.SocketBuffer, math.MaxInt32/2)
	case c.Conntrack > ConntrackRequired:
		return c, fmt.Errorf("conntrack mode %d: not from %d to %d", c.Conntrack, ConntrackOff, ConntrackRequired)
	}
	return c, nil
}

// binding returns how to deliver the packets of a group.
func (c ReaderConfig) binding(conntrack bool) binding {
	b := binding{
		mode:      CopyPacket,
		copyRange: c.CopyRange,
		flags:     FlagSeq,
		batch:     c.BatchBuffer,
		threshold: c.QueueThreshold,
		timeout:   uint32(c.QueueTimeout / TimeoutUnit),
	}
	if c.NoPayload {
		b.mode = CopyMeta
	}
	if c.SeqGlobal {
		b.flags |= FlagGlobal
	}
	if conntrack {
		b.flags |= FlagConntrack
	}
	return b
}

// batchBuffer returns how many bytes so many packets take in a batch, as far as a batch can hold
// them: the kernel allocates the buffer at the first packet, and too large a one for nothing.
func batchBuffer(packets, copyRange uint32) uint32 {
	const (
		attributes = 256  // of a message beside the payload: more than most have
		payload    = 1500 // more than most packets have
	)
	size := uint64(packets) * uint64(attributes+min(copyRange, payload))
	return uint32(min(max(size, MinBatchBuffer), MaxBatchBuffer))
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
