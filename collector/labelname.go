// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"slices"
	"strings"
)

// A label is one of the labels that packets can be counted by.
type label uint8

// The labels. Their order is that of the documentation.
const (
	labelGroup label = iota
	labelPrefix
	labelFamily
	labelHook
	labelInInterface
	labelOutInterface
	labelProtocol
	labelMark
	labelUID
	labelGID
	labelVLAN
	labelPhysInInterface
	labelPhysOutInterface
	labelTCPFlags
	labelICMPType
	labelConntrackState
	labelDSCP
	labelDestinationPort
	labelSource
	labelDestination
	labelInAlias
	labelOutAlias
	numLabels
)

// Labels that can't be selected: the network namespace, present if more than one is read, and those that prefix
// rules make.
const (
	labelNetNS = numLabels
	labelRule  = numLabels + 1
)

const (
	netnsName  = "netns"
	reasonName = "reason"
)

var labelNames = [numLabels]string{
	"group", "prefix", "family", "hook", "in_interface", "out_interface", "protocol",
	"mark", "uid", "gid", "vlan", "phys_in_interface", "phys_out_interface",
	"tcp_flags", "icmp_type", "conntrack_state", "dscp", "destination_port", "source", "destination", "in_alias", "out_alias",
}

// LabelNames returns the names of all labels that packets can be counted by.
func LabelNames() []string { return slices.Clone(labelNames[:]) }

// DefaultLabels returns the names of the labels that packets are counted by unless others are selected.
func DefaultLabels() []string { return slices.Clone(labelNames[:labelProtocol+1]) }

// ReservedLabels returns the names of all labels of the collector's metrics. Prefix rules must not make them.
func ReservedLabels() []string { return append(LabelNames(), netnsName, reasonName) }

// keptInOverflow reports whether the first step of overflow keeps the label. It keeps what the authors of rules choose, and gives
// up what senders of packets can choose, and interfaces.
func (l label) keptInOverflow() bool {
	switch l {
	case labelGroup, labelPrefix, labelFamily, labelHook:
		return true
	default:
		return l >= numLabels
	}
}

// A labelSelection is a set of labels, one bit each.
type labelSelection uint32

func (s labelSelection) has(l label) bool { return s&(1<<l) != 0 }

// selectLabels returns the labels with these names. The group is always among them: without it, two groups could have
// the same label set.
func selectLabels(names []string) (labelSelection, error) {
	selection := labelSelection(1 << labelGroup)
	for i, name := range names {
		l := slices.Index(labelNames[:], name)
		switch {
		case l < 0:
			return 0, fmt.Errorf("label %q: want some of %s", name, strings.Join(labelNames[:], ", "))
		case slices.Contains(names[:i], name):
			return 0, fmt.Errorf("label %q is named twice", name)
		}
		selection |= 1 << l
	}
	return selection, nil
}
