// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// The optional labels, by where their values are.
const (
	messageLabels   labelSelection = 1<<labelMark | 1<<labelUID | 1<<labelGID | 1<<labelConntrackState
	transportLabels labelSelection = 1<<labelTCPFlags | 1<<labelICMPType | 1<<labelDestinationPort
	headerLabels                   = 1<<labelVLAN | 1<<labelDSCP | transportLabels
	addressLabels   labelSelection = 1<<labelSource | 1<<labelDestination
)

// An extractor extracts the values of the selected optional labels from packets.
type extractor struct {
	selection labelSelection // of optional labels
	markMask  uint32
	ports     *packet.PortSet   // that have a class of their own; nil if the port is not selected
	networks  *network.Resolver // of addresses; nil if none is selected

	// Look-up tables, which are faster than to classify each packet.
	tcpKinds  [256]packet.TCPKind
	icmpTypes [2 * 256]packet.ICMPType // canonical ones
}

// newExtractor returns an extractor for the optional labels of a selection.
func newExtractor(selection labelSelection, markMask uint32, ports []uint16) extractor {
	x := extractor{selection: selection & (messageLabels | headerLabels | addressLabels), markMask: markMask}
	if x.selection.has(labelDestinationPort) {
		x.ports = packet.NewPortSet(ports)
	}
	for i := range x.tcpKinds {
		x.tcpKinds[i] = packet.TCPFlags(i).Kind()
	}
	for i := range x.icmpTypes {
		x.icmpTypes[i] = packet.ICMPType(i).Canonical()
	}
	return x
}

// any reports whether an optional label is selected.
func (x *extractor) any() bool { return x.selection != 0 }

// extract returns the optional values of a packet and its headers.
func (x *extractor) extract(p nflog.Packet, h *packet.Parsed) optional {
	var o optional
	if x.selection&headerLabels != 0 {
		o.packed = x.extractHeaders(h)
	}
	if x.networks != nil {
		x.extractAddresses(&o, h)
	}
	if x.selection.has(labelMark) {
		mark, _ := p.Mark()
		o.mark = mark & x.markMask
	}
	if x.selection.has(labelUID) {
		if uid, ok := p.UID(); ok {
			o.owner |= uint64(uid) << 32
			o.packed |= 1 << uidAt
		}
	}
	if x.selection.has(labelGID) {
		if gid, ok := p.GID(); ok {
			o.owner |= uint64(gid)
			o.packed |= 1 << gidAt
		}
	}
	if x.selection.has(labelConntrackState) {
		// The kernel has three bits for it.
		if info, ok := p.ConntrackInfo(); ok && info < hasConntrack {
			if info.Reply() {
				info -= nflog.ConntrackEstablishedReply - nflog.ConntrackEstablished
			}
			o.packed |= uint64(info|hasConntrack) << conntrackAt
		}
	}
	return o
}

// extractAddresses sets the values of the packet's addresses.
func (x *extractor) extractAddresses(o *optional, h *packet.Parsed) {
	source, destination, ok := h.Addresses()
	if !ok {
		return
	}
	if x.selection.has(labelSource) {
		o.source = x.networks.ID(source)
	}
	if x.selection.has(labelDestination) {
		o.destination = x.networks.ID(destination)
	}
}

// extractHeaders returns the fields of packed that the packet's headers give.
func (x *extractor) extractHeaders(h *packet.Parsed) (packed uint64) {
	if x.selection.has(labelVLAN) {
		if id, ok := h.VLAN(); ok {
			packed |= uint64(id|hasVLAN) << vlanAt
		}
	}
	if x.selection.has(labelDSCP) {
		if dscp, ok := h.DSCP(); ok {
			packed |= uint64(dscp|hasDSCP) << dscpAt
		}
	}
	if x.selection&transportLabels == 0 {
		return packed
	}
	t := h.Transport()
	if x.selection.has(labelDestinationPort) {
		if _, port, ok := t.Ports(); ok {
			packed |= uint64(x.ports.Class(port)) << portAt
		}
	}
	if x.selection.has(labelTCPFlags) {
		if flags, ok := t.TCPFlags(); ok {
			packed |= uint64(x.tcpKinds[flags]) << tcpKindAt
		}
	}
	if x.selection.has(labelICMPType) {
		if typ, ok := t.ICMPType(); ok {
			packed |= uint64(x.icmpTypes[typ]|hasICMPType) << icmpTypeAt
		}
	}
	return packed
}
