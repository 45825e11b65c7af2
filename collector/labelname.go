// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"slices"
	"strings"
)

// A label is one of those that packets can be counted by.
type label uint8

// The labels, in the order in which they stand on a label set.
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
	labels // how many there are
)

var labelNames = [labels]string{
	"group", "prefix", "family", "hook", "in_interface", "out_interface", "protocol",
	"mark", "uid", "gid", "vlan", "phys_in_interface", "phys_out_interface",
	"tcp_flags", "icmp_type", "conntrack_state", "dscp", "destination_port",
}

// LabelNames returns the names of all labels that packets can be counted by.
func LabelNames() []string { return slices.Clone(labelNames[:]) }

// DefaultLabels are the labels that packets are counted by where none are chosen.
func DefaultLabels() []string { return slices.Clone(labelNames[:labelProtocol+1]) }

// A labelSelection is the labels that were chosen, one bit each.
type labelSelection uint32

func (s labelSelection) has(l label) bool { return s&(1<<l) != 0 }

// selectLabels returns the selection of the labels that are named. The group belongs to each: without it,
// label sets of two groups could be the same.
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
