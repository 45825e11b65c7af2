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
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// defaultPorts are ports that many hosts serve, and that many others probe for.
const defaultPorts = "22,25,53,67,80,123,143,161,443,445,465,587,853,993,995,1433,1900,3306,3389,5060,5353,5432,6379,6443,8080,8443,9100,10250"

// addCollectorFlags adds the flags that say how packets are counted.
func addCollectorFlags(app *kingpin.Application, c *collector.Config) {
	addFlag(app, "collector.labels", strings.Join(collector.DefaultLabels(), ","),
		"Labels of the packet counters, separated by commas: those of the default, and "+strings.Join(extraLabels(), ", ")+". The group is one of them in any case.",
		listOf(oneOf(collector.LabelNames()...)), &c.Labels)
	addFlag(app, "collector.mark-mask", "0xffffffff",
		"Bits of a packet's mark that the label mark shows.",
		markMask(), &c.MarkMask)
	addFlag(app, "collector.destination-ports", defaultPorts,
		"Ports that the label destination_port names, separated by commas.",
		listOf(numberBetween[uint16](0, 65535)), &c.DestinationPorts)
	app.Flag("collector.interface-pattern",
		"REGEXP=REPLACEMENT: what interfaces are called in labels whose names the anchored expression matches, as veth.*=veth. Repeatable; the first that matches counts.").
		PlaceHolder("REGEXP=REPLACEMENT").SetValue((*interfacePatterns)(&c.InterfacePatterns))
	app.Flag("collector.packet-size",
		"The histogram of packet sizes.").Default("true").SetValue((*inverted)(&c.NoPacketSize))
	app.Flag("collector.histogram-labels",
		"Labels of the histogram, some of those of the counters, separated by commas. All of them by default.").
		PlaceHolder("LABEL,...").SetValue(&value[[]string]{
		"collector.histogram-labels", listOf(oneOf(collector.LabelNames()...)), &c.HistogramLabels,
	})
	addFlag(app, "collector.packet-size-buckets", joinNumbers(collector.DefaultPacketSizeBuckets()),
		"Bounds of the histogram's classic buckets in bytes, ascending, 16 at most, separated by commas.",
		ascending(), &c.PacketSizeBuckets)
	addFlag(app, "collector.max-label-sets", strconv.Itoa(collector.DefaultMaxLabelSets),
		"Label sets of each group at most. Packets of further ones are counted under __overflow__.",
		numberBetween[int](1, 1_000_000), &c.MaxLabelSets)
	addFlag(app, "collector.idle-timeout", "0s",
		"Forget label sets that counted nothing for so long; 0s for never.",
		timeout(), &c.IdleTimeout)
	addFlag(app, "collector.deleted-interface-timeout", "10m",
		"Forget label sets of an interface so long after it was deleted; 0s for never.",
		timeout(), &c.DeletedInterfaceTimeout)
}

// extraLabels returns the labels that are not chosen by default.
func extraLabels() []string { return collector.LabelNames()[len(collector.DefaultLabels()):] }

// checkHistogramLabels finds labels of the histogram that packets are not counted by.
func checkHistogramLabels(c *collector.Config) error {
	for _, name := range c.HistogramLabels {
		if !slices.Contains(c.Labels, name) && name != "group" {
			return &FlagError{
				Flag:  "collector.histogram-labels",
				Value: strings.Join(c.HistogramLabels, ","),
				Err:   fmt.Errorf("must be some of --collector.labels, which has no %s", name),
			}
		}
	}
	return nil
}

// listOf allows lists of different values, and an empty one.
func listOf[T comparable](d domain[T]) domain[[]T] {
	return domain[[]T]{
		allowed: "different values separated by commas, each " + d.allowed,
		parse: func(s string) (list []T, ok bool) {
			list = []T{} // none, not the default
			if s == "" {
				return list, true
			}
			for part := range strings.SplitSeq(s, ",") {
				t, ok := d.parse(part)
				if !ok || slices.Contains(list, t) {
					return nil, false
				}
				list = append(list, t)
			}
			return list, true
		},
	}
}

// ascending allows the bounds of a histogram.
func ascending() domain[[]uint32] {
	const most = 16
	list := listOf(numberBetween[uint32](1, math.MaxUint32))
	return domain[[]uint32]{
		allowed: fmt.Sprintf("up to %d ascending numbers from 1 to %d, separated by commas", most, uint32(math.MaxUint32)),
		parse: func(s string) ([]uint32, bool) {
			bounds, ok := list.parse(s)
			return bounds, ok && len(bounds) <= most && slices.IsSorted(bounds)
		},
	}
}

func markMask() domain[uint32] {
	return domain[uint32]{
		allowed: "a number from 0x1 to 0xffffffff",
		parse: func(s string) (uint32, bool) {
			n, err := strconv.ParseUint(s, 0, 32)
			octal := len(s) > 1 && s[0] == '0' && s[1] != 'x'
			return uint32(n), err == nil && n > 0 && !octal
		},
	}
}

// timeout allows times after which something is forgotten.
func timeout() domain[time.Duration] {
	const longest = 10000 * time.Hour
	return domain[time.Duration]{
		allowed: fmt.Sprintf("0s for never, or a time from 1s to %v", longest),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && (d == 0 || time.Second <= d && d <= longest)
		},
	}
}

func joinNumbers(numbers []uint32) string {
	var parts []string
	for _, n := range numbers {
		parts = append(parts, strconv.FormatUint(uint64(n), 10))
	}
	return strings.Join(parts, ",")
}

// interfacePatterns is a kingpin.Value that collects patterns.
type interfacePatterns []prefix.InterfacePattern

// Set implements kingpin.Value.
func (p *interfacePatterns) Set(s string) error {
	// The replacement is less likely to have an equals sign in it than the expression.
	i := strings.LastIndexByte(s, '=')
	err := errors.New("must be REGEXP=REPLACEMENT, as veth.*=veth")
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

// IsCumulative tells kingpin that the flag may be repeated.
func (p *interfacePatterns) IsCumulative() bool { return true }

// inverted is a kingpin.Value of a switch that stands for the opposite of what it sets.
type inverted bool

// Set implements kingpin.Value.
func (b *inverted) Set(s string) error {
	v, err := strconv.ParseBool(s)
	*b = inverted(!v)
	return err
}

// String implements kingpin.Value.
func (b *inverted) String() string { return strconv.FormatBool(!bool(*b)) }

// IsBoolFlag tells kingpin that the flag takes no value and can be negated.
func (b *inverted) IsBoolFlag() bool { return true }
