// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A labeling says which labels the metrics of one group have, and makes their values. One goroutine may use it at a time.
type labeling struct {
	group, netns string

	selection   labelSelection
	ofGroup     labelDescs // of the metrics about the group itself
	ofCounters  labelDescs
	ofHistogram labelDescs
	ofPrefix    labelDescs // of the totals of prefixes

	sameHistogram bool // whether ofHistogram is ofCounters, so that each label set has a histogram of its own

	protocols *packet.ProtocolSet // that go by name
	optional  extractor
	rules     *prefix.Rules
	renamer   *prefix.InterfaceRenamer
}

// newLabeling returns the labeling of a group. networks are those that addresses are told apart by, nil if no label needs them.
func newLabeling(config *Config, group GroupConfig, networks *network.Set) (*labeling, error) {
	selected := config.Labels
	if selected == nil {
		selected = DefaultLabels()
	}
	l := &labeling{
		group:   strconv.Itoa(int(group.Group)),
		netns:   group.NetNS,
		renamer: prefix.NewInterfaceRenamer(config.InterfacePatterns),
	}
	var err error
	if l.rules, err = prefix.NewRules(config.PrefixRules, ReservedLabels()); err != nil {
		return nil, err
	}
	if l.selection, err = selectLabels(selected); err != nil {
		return nil, err
	}
	if l.protocols, err = config.protocolSet(l.selection); err != nil {
		return nil, err
	}
	histogram := l.selection
	if config.HistogramLabels != nil {
		if histogram, err = selectLabels(config.HistogramLabels); err != nil {
			return nil, fmt.Errorf("histogram: %w", err)
		}
		if histogram&^l.selection != 0 {
			return nil, fmt.Errorf("histogram: labels %s are not all of the counters' %s",
				strings.Join(config.HistogramLabels, ","), strings.Join(selected, ","))
		}
	}
	byNetNS := config.ChangingNetNS || slices.ContainsFunc(config.Groups, func(g GroupConfig) bool { return g.NetNS != config.Groups[0].NetNS })
	l.ofGroup = l.descs(1<<labelGroup, byNetNS)
	l.ofCounters = l.descs(l.selection, byNetNS)
	l.ofHistogram = l.descs(histogram, byNetNS)
	l.ofPrefix = slices.DeleteFunc(l.descs(1<<labelGroup|1<<labelPrefix, byNetNS), func(d labelDesc) bool { return d.label == labelRule })
	l.sameHistogram = histogram == l.selection
	l.optional = newExtractor(l.selection, cmp.Or(config.MarkMask, math.MaxUint32), config.DestinationPorts)
	if networks != nil {
		l.optional.networks = network.NewResolver(networks)
	}
	return l, nil
}

// labelDescs describe the labels of a metric, sorted by name.
type labelDescs []labelDesc

type labelDesc struct {
	name  string
	label label
	rule  int // index of the label among those of prefix rules, for labelRule
}

// descs returns the labels of a selection.
func (l *labeling) descs(selection labelSelection, byNetNS bool) labelDescs {
	var d labelDescs
	for i, name := range labelNames {
		if selection.has(label(i)) {
			d = append(d, labelDesc{name: name, label: label(i)})
		}
	}
	if selection.has(labelPrefix) {
		for i, name := range l.rules.LabelNames() {
			d = append(d, labelDesc{name: name, label: labelRule, rule: i})
		}
	}
	if byNetNS {
		d = append(d, labelDesc{name: netnsName, label: labelNetNS})
	}
	slices.SortFunc(d, func(a, b labelDesc) int { return strings.Compare(a.name, b.name) })
	return d
}

func (d labelDescs) names() []string {
	names := make([]string, len(d))
	for i := range d {
		names[i] = d[i].name
	}
	return names
}

// groupLabels returns the labels of the metrics about the group itself.
func (l *labeling) groupLabels() []*dto.LabelPair { return l.labelsOfGroup(l.group) }

// labelsOfGroup returns the labels of the metrics about a group in the labeling's network namespace.
func (l *labeling) labelsOfGroup(group string) []*dto.LabelPair {
	v := l.groupValues()
	v.values[labelGroup] = group
	var m metricLabels
	return m.set(l.ofGroup, string(v.join(nil, l.ofGroup)))
}

// firewallLabels returns the labels of metrics about the firewall rules of the labeling's network namespace.
func (l *labeling) firewallLabels() *firewall.Labels {
	ofAll := slices.DeleteFunc(l.groupLabels(), func(p *dto.LabelPair) bool { return p.GetName() == labelNames[labelGroup] })
	return &firewall.Labels{Prefixes: l.rules, OfGroup: l.labelsOfGroup, OfAll: ofAll}
}

// canOverflowPartly reports whether there are labels that the first step of overflow gives up.
func (l *labeling) canOverflowPartly() bool {
	return slices.ContainsFunc(l.ofCounters, func(d labelDesc) bool { return !d.label.keptInOverflow() })
}

// producedBy reports whether packets of rules with one of these prefixes can have these values of the counters' labels.
func (l *labeling) producedBy(prefixes []string, values string) bool {
	return slices.ContainsFunc(prefixes, func(raw string) bool {
		ofPrefix, ofRules := l.rules.Apply(raw)
		rest := values
		for _, d := range l.ofCounters {
			var value string
			value, rest, _ = strings.Cut(rest, valueEnd)
			if d.label == labelPrefix && value != ofPrefix || d.label == labelRule && value != ofRules[d.rule] {
				return false
			}
		}
		return true
	})
}
