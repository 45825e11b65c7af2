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
	MinBatchBuffer = 3776       // what a kernel with pages of 4 KiB allocates at least; it ignores less
	MaxBatchBuffer = 131072     // the kernel ignores more
	MaxCopyRange   = maxPayload // what fits an attribute
	TimeoutUnit    = 10 * time.Millisecond

	// MaxQueueTimeout is safe from overflow in the kernel, which multiplies by its clock's ticks a
	// second, 1000 at most, in 32 bits.
	MaxQueueTimeout = math.MaxUint32 / 1000 * TimeoutUnit

	DefaultCopyRange      = 128
	DefaultQueueThreshold = 65535
	DefaultQueueTimeout   = 500 * time.Millisecond
	DefaultBatchBuffer    = MaxBatchBuffer
	DefaultSocketBuffer   = 16 << 20
)

// A ReaderConfig says how a group is read. A zero field stands for its default.
type ReaderConfig struct {
	// NetNS is a descriptor of the network namespace to read in; 0 is the calling thread's. The
	// reader needs it only while it is opened, but keeps the namespace itself alive.
	NetNS int

	// CopyRange is how many bytes of each packet the kernel copies, 1 to MaxCopyRange. A rule may
	// ask for fewer.
	CopyRange uint32

	// QueueThreshold is how many packets the kernel gathers at most before it delivers them. A rule
	// may ask for fewer.
	QueueThreshold uint32

	// QueueTimeout is how long a packet waits for others at most before it is delivered. The
	// kernel counts in steps of TimeoutUnit.
	QueueTimeout time.Duration

	// BatchBuffer is how many bytes of messages the kernel gathers before it delivers them,
	// MinBatchBuffer to MaxBatchBuffer. It rounds up what it allocates to a power of two, and uses
	// the whole: 256 KiB for MaxBatchBuffer. It is lowered where the socket buffer would not hold
	// eight of them.
	BatchBuffer uint32

	// SocketBuffer is the size of the socket's receive buffer in bytes. The kernel doubles it. It
	// is limited by the sysctl net.core.rmem_max for a process without CAP_NET_ADMIN in the
	// initial user namespace: [Reader.SocketStats] tells what came of it.
	SocketBuffer int
}

// withDefaults returns the configuration with defaults for zero fields, or what is wrong with it.
func (c ReaderConfig) withDefaults() (ReaderConfig, error) {
	setDefault(&c.CopyRange, DefaultCopyRange)
	setDefault(&c.QueueThreshold, DefaultQueueThreshold)
	setDefault(&c.QueueTimeout, DefaultQueueTimeout)
	setDefault(&c.BatchBuffer, DefaultBatchBuffer)
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
	}
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
