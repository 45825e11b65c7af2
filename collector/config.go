// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Defaults and bounds of a [Config].
const (
	DefaultMaxLabelSets = 2000
	MaxLabelSetsLimit   = 1_000_000
)

// AllProtocols stands for all protocols in [Config.Protocols].
const AllProtocols = "all"

// DefaultProtocols returns the protocols that go by name unless others are chosen: those that networks use. Of EtherTypes, these
// are ARP, spanning tree (0x0004, any frame with a length in the EtherType's place), link aggregation, MPLS, PPPoE, 802.1X, LLDP
// and PTP.
func DefaultProtocols() []string {
	return strings.Split("icmp,igmp,ipv4,tcp,udp,ipv6,gre,esp,ah,icmpv6,eigrp,ospfigp,pim,vrrp,l2tp,sctp,"+
		"arp,0x0004,0x8809,0x8847,0x8863,0x8864,0x888e,0x88cc,0x88f7", ",")
}

// DefaultPacketSizeBuckets returns the default bounds of the packet size histogram in bytes: powers of two, and the usual
// MTUs of Ethernet.
func DefaultPacketSizeBuckets() []uint32 {
	return []uint32{64, 128, 256, 512, 1024, 1500, 9000, 65535}
}

// A Config configures a [Collector].
type Config struct {
	Groups []GroupConfig // each group of a namespace once; at least one unless ChangingNetNS

	// ChangingNetNS says that SetGroups will apply groups of other network namespaces. The label netns is then there
	// however many there are.
	ChangingNetNS bool

	Logger log.Logger // nil for none

	// Labels are the names of the labels that packets are counted by, some of LabelNames; nil for DefaultLabels. The
	// group is always one of them.
	Labels []string

	// Protocols are the values of the label protocol that go by name, the others are counted together as other: AllProtocols
	// alone, or values that packet.ParseProtocol takes; nil for DefaultProtocols.
	Protocols []string

	// MarkMask selects the bits of a packet's mark in the label mark; 0 for all.
	MarkMask uint32

	// DestinationPorts are the ports that the label destination_port names.
	DestinationPorts []uint16

	// InterfacePatterns rename interfaces. The first that matches a name applies.
	InterfacePatterns []prefix.InterfacePattern

	// PrefixRules turn prefixes into labels. The first that matches a prefix applies.
	PrefixRules []prefix.Rule

	// Networks are the values of the labels source and destination; the classes of IANA's registries if there are none.
	Networks []network.Network

	// TopSources is how many of the heaviest sources are shown for each prefix, at most MaxTopSources; 0 for none.
	TopSources int

	// TopSourcesIPv6 is how many bits of their addresses tell sources of IPv6 apart; 0 for DefaultTopSourcesIPv6.
	TopSourcesIPv6 int

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

	// NoRuleset leaves out what is known of the firewall's rules.
	NoRuleset bool

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

// protocolSet returns the protocols that are told apart: none if the label is not selected.
func (c *Config) protocolSet(selection labelSelection) (*packet.ProtocolSet, error) {
	names := c.Protocols
	if names == nil {
		names = DefaultProtocols()
	}
	set := &packet.ProtocolSet{}
	if len(names) == 1 && names[0] == AllProtocols {
		set.AddAll()
		names = nil
	}
	for _, name := range names {
		p, ok := packet.ParseProtocol(name)
		if !ok {
			return nil, fmt.Errorf("protocol %q: want a value of the label protocol, such as tcp or 0x88cc", name)
		}
		set.Add(p)
	}
	if !selection.has(labelProtocol) {
		return &packet.ProtocolSet{}, nil
	}
	return set, nil
}

// networkSet returns the networks that addresses are told apart by: nil if no label of addresses is selected.
func (c *Config) networkSet() (*network.Set, error) {
	for _, l := range []label{labelSource, labelDestination} {
		if slices.Contains(c.Labels, labelNames[l]) {
			return network.NewSet(c.Networks)
		}
	}
	return nil, nil
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
