// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// overflowValue is the value of labels by which packets can't be told apart for want of label sets.
const overflowValue = "__overflow__"

// Labels that can't be chosen: the network namespace, where more than one is read, and those that prefix
// rules make.
const (
	labelNetNS = labels
	labelRule  = labels + 1

	netnsName = "netns"
)

// A schema says by which labels the packets of one table are counted. Like the table it is one
// goroutine's at a time.
type schema struct {
	group, netns string

	selection    labelSelection
	groupColumns columns // labels of the group's own metrics
	columns      columns // of the counters
	histogram    columns // of the histogram

	extras extractor
	rules  *prefixRules
	folder interfaceFolder
}

// columns are labels, sorted by name.
type columns []column

type column struct {
	name  string
	label label
	rule  int // which of the labels that prefix rules make, with labelRule
}

func (c columns) names() []string {
	names := make([]string, len(c))
	for i := range c {
		names[i] = c[i].name
	}
	return names
}

// newSchema returns the schema of a group's table.
func newSchema(config *Config, group GroupConfig) (*schema, error) {
	chosen := config.Labels
	if chosen == nil {
		chosen = DefaultLabels()
	}
	s := &schema{
		group:  strconv.Itoa(int(group.Group)),
		netns:  group.NetNS,
		folder: interfaceFolder{patterns: config.InterfacePatterns},
	}
	var err error
	if s.rules, err = newPrefixRules(config.PrefixRules); err != nil {
		return nil, err
	}
	if s.selection, err = selectLabels(chosen); err != nil {
		return nil, err
	}
	histogram := s.selection
	if config.HistogramLabels != nil {
		if histogram, err = selectLabels(config.HistogramLabels); err != nil {
			return nil, fmt.Errorf("histogram: %w", err)
		}
		if histogram&^s.selection != 0 {
			return nil, fmt.Errorf("histogram: labels %s are not all of the counters' %s",
				strings.Join(config.HistogramLabels, ","), strings.Join(chosen, ","))
		}
	}
	byNetNS := slices.ContainsFunc(config.Groups, func(g GroupConfig) bool { return g.NetNS != config.Groups[0].NetNS })
	s.groupColumns = s.newColumns(1<<labelGroup, byNetNS)
	s.columns = s.newColumns(s.selection, byNetNS)
	s.histogram = s.newColumns(histogram, byNetNS)
	mask := config.MarkMask
	if mask == 0 {
		mask = math.MaxUint32
	}
	s.extras = newExtractor(s.selection, mask, config.DestinationPorts)
	return s, nil
}

// newColumns returns the labels of a selection.
func (s *schema) newColumns(selection labelSelection, byNetNS bool) columns {
	var c columns
	for l, name := range labelNames {
		if selection.has(label(l)) {
			c = append(c, column{name: name, label: label(l)})
		}
	}
	if selection.has(labelPrefix) {
		for i, name := range s.rules.labelNames() {
			c = append(c, column{name: name, label: labelRule, rule: i})
		}
	}
	if byNetNS {
		c = append(c, column{name: netnsName, label: labelNetNS})
	}
	slices.SortFunc(c, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return c
}

// A combination is the values of labels: of the selected ones, and of those that prefix rules make.
type combination struct {
	values [labels + 1]string // labelNetNS is the last
	rules  []string

	raw        string   // prefix, if there is a label for it
	interfaces []string // that the values name
}

// maxPrefix is no shorter than any prefix: NF_LOG_PREFIXLEN of include/net/netfilter/nf_log.h.
const maxPrefix = 128

// list returns the values of columns.
func (c *combination) list(columns columns) []string {
	values := make([]string, len(columns))
	for i, column := range columns {
		if column.label == labelRule {
			values[i] = c.rules[column.rule]
		} else {
			values[i] = c.values[column.label]
		}
	}
	return values
}

// ofGroup returns the combination of what is known of the group as a whole.
func (s *schema) ofGroup() *combination {
	c := &combination{}
	c.values[labelGroup], c.values[labelNetNS] = s.group, s.netns
	return c
}

// groupLabels returns the labels of the group's own metrics.
func (s *schema) groupLabels() []*dto.LabelPair {
	return newSeries(s.groupColumns, s.ofGroup().list(s.groupColumns), nil).labels
}

// combine returns the values of the labels of a packet.
func (s *schema) combine(k *key, names interfaceNames) *combination {
	c := s.ofGroup()
	o := k.origin
	for l := labelPrefix; l < labels; l++ {
		if !s.selection.has(l) {
			continue
		}
		switch l {
		case labelPrefix:
			c.raw = o.Prefix[:min(len(o.Prefix), maxPrefix)]
			c.values[l], c.rules = s.rules.apply(c.raw)
		case labelFamily:
			c.values[l] = familyName(o.Family)
		case labelHook:
			c.values[l] = hookName(o.Family, o.Hook)
		case labelProtocol:
			c.values[l] = k.protocol.String()
		case labelInInterface:
			c.values[l] = s.interfaceName(c, o.InDev, names)
		case labelOutInterface:
			c.values[l] = s.interfaceName(c, o.OutDev, names)
		case labelPhysInInterface:
			c.values[l] = s.interfaceName(c, o.PhysInDev, names)
		case labelPhysOutInterface:
			c.values[l] = s.interfaceName(c, o.PhysOutDev, names)
		default:
			c.values[l] = k.extras.value(l)
		}
	}
	return c
}

func (s *schema) interfaceName(c *combination, index uint32, names interfaceNames) string {
	name := names.Name(index)
	folded := s.folder.fold(name)
	if name != "" && !folded.folded {
		c.interfaces = append(c.interfaces, name)
	}
	return folded.label
}

// isExtra reports whether it is an interface or an extra label.
func (l label) isExtra() bool {
	switch l {
	case labelGroup, labelPrefix, labelFamily, labelHook, labelProtocol:
		return false
	default:
		return l < labels
	}
}

// hasExtras reports whether there are labels that foldExtras gives up.
func (s *schema) hasExtras() bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return c.label.isExtra() })
}

// foldExtras gives up what tells apart interfaces and extra labels.
func (s *schema) foldExtras(c *combination) {
	for l := range labels {
		if l.isExtra() {
			c.values[l] = overflowValue
		}
	}
	c.interfaces = nil
}

// foldAll gives up all but the group.
func (s *schema) foldAll(c *combination) {
	s.foldExtras(c)
	for l := labelPrefix; l < labels; l++ {
		c.values[l] = overflowValue
	}
	c.rules = slices.Repeat([]string{overflowValue}, len(c.rules))
}

// overflow returns the combination of what can't be told apart at all.
func (s *schema) overflow() *combination {
	c := s.ofGroup()
	c.rules = make([]string, len(s.rules.labelNames()))
	s.foldAll(c)
	return c
}

// leadsTo reports whether packets whose rules have one of these prefixes may be counted under the values of a label set.
func (s *schema) leadsTo(values, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(raw string) bool {
		prefix, rules := s.rules.apply(raw)
		for i, column := range s.columns {
			if column.label == labelPrefix && values[i] != prefix || column.label == labelRule && values[i] != rules[column.rule] {
				return false
			}
		}
		return true
	})
}
