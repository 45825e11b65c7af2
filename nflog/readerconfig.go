// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Limits of a [ReaderConfig]. They are the kernel's (net/netfilter/nfnetlink_log.c).
const (
	// MaxCopyRange is the largest CopyRange in bytes: 65531, the longest value of a netlink attribute
	// (NFULNL_COPY_RANGE_MAX).
	MaxCopyRange = 0xffff - attributeHeaderLen

	// MinBatchBuffer and MaxBatchBuffer are the smallest and the largest BatchBuffer in bytes. The
	// kernel ignores any other size. The smallest is what it allocates by default with pages of 4 KiB
	// (NFULNL_NLBUFSIZ_DEFAULT, that is NLMSG_GOODSIZE), the largest is NFULNL_NLBUFSIZ_MAX.
	MinBatchBuffer = 3776
	MaxBatchBuffer = 128 << 10

	// TimeoutUnit is the unit of QueueTimeout: the kernel takes hundredths of a second
	// (NFULA_CFG_TIMEOUT).
	TimeoutUnit = 10 * time.Millisecond

	// MaxQueueTimeout is the longest QueueTimeout, some 12 hours. The kernel multiplies the timeout by
	// its ticks per second, 1000 at most, in 32 bits; this value can't overflow.
	MaxQueueTimeout = math.MaxUint32 / 1000 * TimeoutUnit
)

// Defaults of a [ReaderConfig].
const (
	DefaultCopyRange      = 128                    // bytes
	DefaultQueueThreshold = 65535                  // packets; a batch never holds as many
	DefaultQueueTimeout   = 500 * time.Millisecond // how far packets may lag
	DefaultSocketBuffer   = 16 << 20               // bytes; the kernel doubles them
)

// A ConntrackMode says whether the kernel sends what it knows of a packet's connection. This needs a
// kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT and the module nf_conntrack_netlink, and adds some hundred
// bytes to each packet.
type ConntrackMode uint8

// The values of a ConntrackMode.
const (
	ConntrackOff       ConntrackMode = iota // don't request connections
	ConntrackPreferred                      // request them, but continue without if the kernel can't send them; see [Reader.Config]
	ConntrackRequired                       // request them, and fail with [ErrNoConntrack] if the kernel can't send them
)

// A ReaderConfig says how to read a group. A zero field means its default. A value out of range is an
// error. The two buffers may come out smaller than requested; see there, and [Reader.Config].
type ReaderConfig struct {
	// NetNS is a descriptor of the network namespace to read in. 0 means the calling thread's. It may
	// be closed once the reader is open. The namespace lives on until the reader is closed.
	NetNS int

	// CopyRange is how many bytes of each packet the kernel copies at most, 1 to MaxCopyRange. 0 means
	// DefaultCopyRange, which holds almost all headers. A rule may request fewer.
	CopyRange uint32

	// NoPayload makes the kernel copy no bytes of the packets, whatever CopyRange is. Everything else
	// that it knows of them is sent.
	NoPayload bool

	// Conntrack says whether to request the packets' connections; see [Packet.ConntrackInfo]. The default is
	// ConntrackOff.
	Conntrack ConntrackMode

	// SeqGlobal makes the kernel also number the packets across all groups of the namespace. These
	// numbers bring the packets of several groups into order; see [Packet.SeqGlobal].
	SeqGlobal bool

	// QueueThreshold is how many packets the kernel gathers at most before it delivers them. 0 means
	// DefaultQueueThreshold: as many as a batch holds. A rule may request fewer.
	QueueThreshold uint32

	// QueueTimeout is how long the kernel holds a packet at most before it delivers it. It is a
	// multiple of TimeoutUnit, up to MaxQueueTimeout. 0 means DefaultQueueTimeout.
	QueueTimeout time.Duration

	// BatchBuffer is how many bytes of messages the kernel gathers before it delivers them,
	// MinBatchBuffer to MaxBatchBuffer. The kernel rounds up its allocation to a power of two and uses
	// all of it: 256 KiB for MaxBatchBuffer. 0 means the size of QueueThreshold packets, within
	// these limits; with the other defaults, that is MaxBatchBuffer. OpenReader lowers it if the socket buffer can't hold eight batches.
	BatchBuffer uint32

	// SocketBuffer is the size of the socket's receive buffer in bytes. The kernel doubles it, and
	// uses memory only while packets wait. 0 means DefaultSocketBuffer. Without CAP_NET_ADMIN in the
	// initial user namespace, the sysctl net.core.rmem_max limits it. [Reader.Stats] returns the actual
	// size.
	SocketBuffer int
}

// withDefaults returns the configuration with defaults for zero fields. The error names the first field
// that is out of range.
func (c ReaderConfig) withDefaults() (ReaderConfig, error) {
	c.CopyRange = cmp.Or(c.CopyRange, DefaultCopyRange)
	c.QueueThreshold = cmp.Or(c.QueueThreshold, DefaultQueueThreshold)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, DefaultQueueTimeout)
	c.BatchBuffer = cmp.Or(c.BatchBuffer, defaultBatchBuffer(c.QueueThreshold, c.CopyRange))
	c.SocketBuffer = cmp.Or(c.SocketBuffer, DefaultSocketBuffer)
	switch {
	case c.CopyRange > MaxCopyRange:
		return c, fmt.Errorf("copy range %d: more than %d bytes", c.CopyRange, MaxCopyRange)
	case c.QueueTimeout < TimeoutUnit || c.QueueTimeout > MaxQueueTimeout || c.QueueTimeout%TimeoutUnit != 0:
		return c, fmt.Errorf("queue timeout %v: not a multiple of %v from %[2]v to %v", c.QueueTimeout, TimeoutUnit, MaxQueueTimeout)
	case c.BatchBuffer < MinBatchBuffer || c.BatchBuffer > MaxBatchBuffer:
		return c, fmt.Errorf("batch buffer %d: not from %d to %d bytes", c.BatchBuffer, MinBatchBuffer, MaxBatchBuffer)
	case c.SocketBuffer < 0 || c.SocketBuffer > math.MaxInt32/2:
		return c, fmt.Errorf("socket buffer %d: not from 0 to %d bytes", c.SocketBuffer, math.MaxInt32/2)
	case c.Conntrack > ConntrackRequired:
		return c, fmt.Errorf("conntrack mode %d: not from %d to %d", c.Conntrack, ConntrackOff, ConntrackRequired)
	}
	return c, nil
}

// groupConfig returns what to configure for a group in the kernel.
func (c ReaderConfig) groupConfig() groupConfig {
	g := groupConfig{
		copyMode:       CopyPacket,
		copyRange:      c.CopyRange,
		flags:          FlagSeq,
		batchBuffer:    c.BatchBuffer,
		queueThreshold: c.QueueThreshold,
		queueTimeout:   uint32(c.QueueTimeout / TimeoutUnit),
	}
	if c.NoPayload {
		g.copyMode = CopyMeta
	}
	if c.SeqGlobal {
		g.flags |= FlagGlobal
	}
	if c.Conntrack != ConntrackOff {
		g.flags |= FlagConntrack
	}
	return g
}

// defaultBatchBuffer returns the size of a batch of packets, within the kernel's limits. The kernel
// allocates the whole buffer at the first packet, so an oversized one wastes memory.
func defaultBatchBuffer(packets, copyRange uint32) uint32 {
	const (
		attributes = 256  // bytes of a message beside the payload: enough for most
		payload    = 1500 // bytes: enough for most packets
	)
	size := uint64(packets) * uint64(attributes+min(copyRange, payload))
	return uint32(min(max(size, MinBatchBuffer), MaxBatchBuffer))
}
