// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"time"

	"github.com/go-kit/log"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Defaults and bounds of a [Config].
const (
	DefaultMaxLabelSets = 2000
	MaxLabelSetsLimit   = 1_000_000
)

// DefaultPacketSizeBuckets returns the default bounds of the packet size histogram in bytes: powers of two, and the usual
// MTUs of Ethernet.
func DefaultPacketSizeBuckets() []uint32 {
	return []uint32{64, 128, 256, 512, 1024, 1500, 9000, 65535}
}

// A Config configures a [Collector].
type Config struct {
	Groups []GroupConfig // at least one, each group of a namespace once
	Logger log.Logger    // nil for none

	// Labels are the names of the labels that packets are counted by, some of LabelNames; nil for DefaultLabels. The
	// group is always one of them.
	Labels []string

	// MarkMask selects the bits of a packet's mark in the label mark; 0 for all.
	MarkMask uint32

	// DestinationPorts are the ports that the label destination_port names.
	DestinationPorts []uint16

	// InterfacePatterns rename interfaces. The first that matches a name applies.
	InterfacePatterns []prefix.InterfacePattern

	// PrefixRules turn prefixes into labels. The first that matches a prefix applies.
	PrefixRules []prefix.Rule

	// NoPacketSize leaves out the histogram of packet sizes.
	NoPacketSize bool

	// HistogramLabels are the labels of the histogram, some of Labels; nil for all of them. The group is always one of
	// them.
	HistogramLabels []string

	// PacketSizeBuckets are the bounds of the histogram's classic buckets in bytes, ascending, at most
	// MaxPacketSizeBuckets; nil for DefaultPacketSizeBuckets.
	PacketSizeBuckets []uint32

	// MaxLabelSets is how many label sets a group may have. Beyond it, packets are counted under __overflow__. 0 stands
	// for DefaultMaxLabelSets.
	MaxLabelSets int

	// IdleTimeout is how long a label set is kept that counts nothing; 0 for ever.
	IdleTimeout time.Duration

	// DeletedInterfaceTimeout is how long a label set is kept after its interface was deleted; 0 for ever.
	DeletedInterfaceTimeout time.Duration
}

// bucketLayout returns the layout of the histogram, or nil if there is to be none.
func (c *Config) bucketLayout() (*bucketLayout, error) {
	switch {
	case c.NoPacketSize:
		return nil, nil
	case c.PacketSizeBuckets == nil:
		return newBucketLayout(DefaultPacketSizeBuckets())
	default:
		return newBucketLayout(c.PacketSizeBuckets)
	}
}

func (c *Config) limits() limits {
	return limits{
		labelSets:        cmp.Or(c.MaxLabelSets, DefaultMaxLabelSets),
		idle:             c.IdleTimeout,
		deletedInterface: c.DeletedInterfaceTimeout,
	}
}

// A GroupConfig configures the reading of one NFLOG group. The fields from CopyRange on are those of
// [nflog.ReaderConfig]: zero stands for its default.
type GroupConfig struct {
	Group uint16
	NetNS string // name under /run/netns or path of the network namespace; empty for the program's own

	CopyRange      uint32        // bytes of each packet that the kernel copies
	QueueThreshold uint32        // most packets in a batch
	QueueTimeout   time.Duration // longest time that a packet waits in the kernel
	BatchBuffer    uint32        // bytes of a batch in the kernel
	SocketBuffer   int           // bytes of the socket's receive buffer
}

// sameGroup reports whether two configurations are of the same group.
func (c GroupConfig) sameGroup(other GroupConfig) bool {
	return c.Group == other.Group && c.NetNS == other.NetNS
}

func (c GroupConfig) readerConfig() nflog.ReaderConfig {
	return nflog.ReaderConfig{
		CopyRange:      c.CopyRange,
		QueueThreshold: c.QueueThreshold,
		QueueTimeout:   c.QueueTimeout,
		BatchBuffer:    c.BatchBuffer,
		SocketBuffer:   c.SocketBuffer,
	}
}
