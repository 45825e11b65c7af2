// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// defaultPorts are ports that many hosts serve, and that many others probe for.
const defaultPorts = "22,25,53,67,80,123,143,161,443,445,465,587,853,993,995,1433,1900,3306,3389,5060,5353,5432,6379,6443,8080,8443,9100,10250"

// addCollectorFlags adds the flags about how packets are counted.
func addCollectorFlags(app *kingpin.Application, c *collector.Config) {
	labels := labelList(collector.LabelNames()...)
	addFlag(app, "collector.labels", strings.Join(collector.DefaultLabels(), ","),
		"Labels of the packet counters, separated by commas. Also available: "+strings.Join(optionalLabels(), ", ")+". The label group is always included: group alone for no other.",
		labels, &c.Labels)
	addFlag(app, "collector.protocols", strings.Join(collector.DefaultProtocols(), ","),
		"Protocols that the label protocol names, separated by commas, or all. The others are counted together as other.",
		protocolList(), &c.Protocols)
	addFlag(app, "collector.mark-mask", "0xffffffff",
		"Bits of the packet mark that the label mark shows.",
		markMask(), &c.MarkMask)
	addFlag(app, "collector.destination-ports", defaultPorts,
		"Ports that the label destination_port names, separated by commas.",
		listOf(numberBetween[uint16](0, math.MaxUint16)), &c.DestinationPorts)
	addFlag(app, "collector.top-sources", "0",
		fmt.Sprintf("Number of source addresses, the heaviest of the last minutes, shown for each prefix on /top and in metrics, at most %d. 0 for none.", collector.MaxTopSources),
		numberBetween[int](0, collector.MaxTopSources), &c.TopSources)
	addFlag(app, "collector.top-sources-network-length", strconv.Itoa(collector.DefaultTopSourcesIPv6),
		"Length of the network by which sources of IPv6 are told apart, 1 to 128; 128 for the whole address.",
		numberBetween[int](1, 128), &c.TopSourcesIPv6)
	app.Flag("collector.interface-pattern",
		"Rename interfaces in labels, for example veth.*=veth. REGEXP is anchored. The first pattern that matches is used. Repeatable.").
		PlaceHolder("REGEXP=REPLACEMENT").SetValue((*interfacePatterns)(&c.InterfacePatterns))
	app.Flag("collector.packet-size",
		"Export the histogram of packet sizes.").Default("true").SetValue((*invertedBool)(&c.NoPacketSize))
	app.Flag("collector.histogram-labels",
		"Labels of the histogram, separated by commas: a subset of --collector.labels. All of them by default.").
		PlaceHolder("LABEL,...").SetValue(&flagValue[[]string]{"collector.histogram-labels", labels, &c.HistogramLabels})
	addFlag(app, "collector.packet-size-buckets", joinNumbers(collector.DefaultPacketSizeBuckets()),
		fmt.Sprintf("Upper bounds of the histogram's classic buckets in bytes, ascending, at most %d, separated by commas.", collector.MaxPacketSizeBuckets),
		bucketBounds(), &c.PacketSizeBuckets)
	app.Flag("collector.ruleset",
		"Read from nf_tables which firewall rules log, and export metrics of them.").Default("true").SetValue((*invertedBool)(&c.NoRuleset))
	addFlag(app, "collector.max-label-sets", strconv.Itoa(collector.DefaultMaxLabelSets),
		"Maximum number of label sets per group. Packets that would need more are counted under __overflow__.",
		numberBetween[int](1, collector.MaxLabelSetsLimit), &c.MaxLabelSets)
	addFlag(app, "collector.idle-timeout", "0s",
		"Forget label sets that counted no packet for this time. 0s for never.",
		timeoutOrNever(), &c.IdleTimeout)
	addFlag(app, "collector.deleted-interface-timeout", "10m",
		"Forget label sets of a deleted interface after this time. 0s for never.",
		timeoutOrNever(), &c.DeletedInterfaceTimeout)
}

// optionalLabels returns the labels that are not in the default.
func optionalLabels() []string { return collector.LabelNames()[len(collector.DefaultLabels()):] }

// checkHistogramLabels refuses labels of the histogram that the counters do not have.
func checkHistogramLabels(c *collector.Config) error {
	for _, name := range c.HistogramLabels {
		if !slices.Contains(c.Labels, name) && name != "group" {
			return &FlagError{
				Flag:  "collector.histogram-labels",
				Value: strings.Join(c.HistogramLabels, ","),
				Err:   fmt.Errorf("must be a subset of --collector.labels, which has no %s", name),
			}
		}
	}
	return nil
}

// protocolList takes values of the label protocol, or all.
func protocolList() valueParser[[]string] {
	list := listOf(valueParser[string]{
		allowed: "a value of the label protocol: a name such as tcp or arp, the number of a protocol without a name such as 253, " +
			"or an EtherType such as 0x88cc",
		parse: func(s string) (string, bool) {
			_, ok := packet.ParseProtocol(s)
			return s, ok
		},
	})
	return checked(collector.AllProtocols+", or "+list.allowed, func(s string) ([]string, string) {
		switch s {
		case "":
			return nil, "write all for all protocols"
		case collector.AllProtocols:
			return []string{s}, ""
		}
		protocols, ok := list.parse(s)
		if !ok {
			return nil, list.hint(s)
		}
		return protocols, ""
	})
}

// bucketBounds takes the classic bounds of a histogram.
func bucketBounds() valueParser[[]uint32] {
	list := listOf(numberBetween[uint32](1, math.MaxUint32))
	allowed := fmt.Sprintf("up to %d ascending numbers from 1 to %d, separated by commas", collector.MaxPacketSizeBuckets, uint32(math.MaxUint32))
	return checked(allowed, func(s string) (bounds []uint32, wrong string) {
		bounds, ok := list.parse(s)
		if !ok {
			return nil, list.hint(s)
		}
		for i := 1; i < len(bounds); i++ {
			if bounds[i] < bounds[i-1] {
				return nil, fmt.Sprintf("%d comes after %d", bounds[i], bounds[i-1])
			}
		}
		if n := len(bounds); n > collector.MaxPacketSizeBuckets {
			return nil, fmt.Sprintf("there are %d", n)
		}
		return bounds, ""
	})
}

// markMask takes decimal numbers, and hexadecimal ones that begin with 0x. Another leading zero is refused: it could mean octal.
func markMask() valueParser[uint32] {
	p := valueParser[uint32]{
		allowed: "a number from 0x1 to 0xffffffff",
		parse: func(s string) (uint32, bool) {
			n, err := strconv.ParseUint(s, 0, 32)
			octal := len(s) > 1 && s[0] == '0' && s[1] != 'x'
			return uint32(n), err == nil && n > 0 && !octal
		},
	}
	p.hint = func(s string) string { return firstAllowed(p, "0x"+s) }
	return p
}

func joinNumbers(numbers []uint32) string {
	var parts []string
	for _, n := range numbers {
		parts = append(parts, strconv.FormatUint(uint64(n), 10))
	}
	return strings.Join(parts, ",")
}

// interfacePatterns is the kingpin.Value of a repeatable flag.
type interfacePatterns []prefix.InterfacePattern

// Set implements kingpin.Value.
func (p *interfacePatterns) Set(s string) error {
	// An equals sign is more likely in the expression than in the replacement.
	i := strings.LastIndexByte(s, '=')
	err := errors.New("must be REGEXP=REPLACEMENT, for example veth.*=veth")
	if i > 0 {
		pattern, bad := prefix.NewInterfacePattern(s[:i], s[i+1:])
		if bad == nil {
			*p = append(*p, pattern)
			return nil
		}
		err = fmt.Errorf("%w: %w", err, bad)
	}
	return &FlagError{Flag: "collector.interface-pattern", Value: s, Err: err}
}

// String implements kingpin.Value.
func (p *interfacePatterns) String() string { return "" }

// IsCumulative tells kingpin that the flag is repeatable.
func (p *interfacePatterns) IsCumulative() bool { return true }
