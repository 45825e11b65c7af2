// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// overflowValue replaces the values of labels that overflow gives up.
const overflowValue = prefix.Overflow

// maxPrefix bounds the prefixes that are used: NF_LOG_PREFIXLEN of include/net/netfilter/nf_log.h.
const maxPrefix = 128

// labelValues are the values of all labels that a packet is counted by.
type labelValues struct {
	values [numLabels + 1]string // the last is labelNetNS
	rules  []string              // of the labels that prefix rules make

	prefix     string   // of the firewall rule, if there is a label for it
	shown      string   // value of the label prefix, also after overflow
	interfaces []string // whose names are values; the memory is reused
}

// valueEnd ends each value of a joined string. No value has it: prefixes, rules and names of interfaces have no control
// characters. It sorts before all that they have, so that joined strings sort as lists of values do.
const valueEnd = "\x00"

// join appends the values of some labels to b, as one string.
func (v *labelValues) join(b []byte, descs labelDescs) []byte {
	for _, d := range descs {
		if d.label == labelRule {
			b = append(b, v.rules[d.rule]...)
		} else {
			b = append(b, v.values[d.label]...)
		}
		b = append(b, valueEnd...)
	}
	return b
}

// value returns the value of a label among joined values, or "" if that label is not among them.
func (d labelDescs) value(values string, l label) string {
	for i := range d {
		value, rest, _ := strings.Cut(values, valueEnd)
		if d[i].label == l {
			return value
		}
		values = rest
	}
	return ""
}

// groupValues returns the values that all packets of the group have.
func (l *labeling) groupValues() *labelValues {
	v := &labelValues{}
	v.values[labelGroup], v.values[labelNetNS] = l.group, l.netns
	return v
}

// packetValues sets v to the values for packets with this key.
func (l *labeling) packetValues(v *labelValues, k *key, names interfaceNames) {
	*v = labelValues{interfaces: v.interfaces[:0]}
	v.values[labelGroup], v.values[labelNetNS] = l.group, l.netns
	o := k.origin
	for i := labelPrefix; i < numLabels; i++ {
		if !l.selection.has(i) {
			continue
		}
		switch i {
		case labelPrefix:
			v.prefix = o.Prefix[:min(len(o.Prefix), maxPrefix)]
			v.shown, v.rules = l.rules.Apply(v.prefix)
			v.values[i] = v.shown
		case labelFamily:
			v.values[i] = o.Family.String()
		case labelHook:
			v.values[i] = o.HookName()
		case labelProtocol:
			v.values[i] = k.protocol.String()
		case labelInInterface:
			v.values[i] = l.interfaceValue(v, o.InDev, names)
		case labelOutInterface:
			v.values[i] = l.interfaceValue(v, o.OutDev, names)
		case labelPhysInInterface:
			v.values[i] = l.interfaceValue(v, o.PhysInDev, names)
		case labelPhysOutInterface:
			v.values[i] = l.interfaceValue(v, o.PhysOutDev, names)
		case labelSource:
			v.values[i] = l.addressValue(network.ID(k.optional.addresses >> 32))
		case labelDestination:
			v.values[i] = l.addressValue(network.ID(k.optional.addresses))
		case labelInAlias:
			v.values[i] = prefix.Escape(names.Alias(o.InDev))
		case labelOutAlias:
			v.values[i] = prefix.Escape(names.Alias(o.OutDev))
		default:
			v.values[i] = k.optional.value(i)
		}
	}
}

func (l *labeling) interfaceValue(v *labelValues, index uint32, names interfaceNames) string {
	name := names.Name(index)
	value, renamed := l.renamer.Rename(name)
	if name != "" && !renamed {
		v.interfaces = append(v.interfaces, name)
	}
	return value
}

// addressValue returns the value for an address.
func (l *labeling) addressValue(id network.ID) string {
	if l.optional.networks == nil {
		return ""
	}
	return l.optional.networks.Value(id)
}

// overflowPartly gives up the labels that the first step of overflow does not keep.
func (v *labelValues) overflowPartly() {
	for l := range numLabels {
		if !l.keptInOverflow() {
			v.values[l] = overflowValue
		}
	}
	v.interfaces = v.interfaces[:0]
}

// overflowFully gives up all labels but the group.
func (v *labelValues) overflowFully() {
	v.overflowPartly()
	for l := labelPrefix; l < numLabels; l++ {
		v.values[l] = overflowValue
	}
	v.rules = slices.Repeat([]string{overflowValue}, len(v.rules))
}

// overflowValues returns the values of the label set that takes what no other has room for.
func (l *labeling) overflowValues() *labelValues {
	v := l.groupValues()
	v.rules = make([]string, len(l.rules.LabelNames()))
	v.overflowFully()
	return v
}
