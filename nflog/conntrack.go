// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A ConntrackInfo is a packet's relation to its connection, enum ip_conntrack_info of
// include/uapi/linux/netfilter/nf_conntrack_common.h.
type ConntrackInfo uint32

// The values of a ConntrackInfo. The kernel sends none for a packet without a connection, such as an
// untracked packet.
const (
	ConntrackEstablished      ConntrackInfo = 0 // IP_CT_ESTABLISHED
	ConntrackRelated          ConntrackInfo = 1 // IP_CT_RELATED
	ConntrackNew              ConntrackInfo = 2 // IP_CT_NEW
	ConntrackEstablishedReply ConntrackInfo = 3 // IP_CT_ESTABLISHED_REPLY
	ConntrackRelatedReply     ConntrackInfo = 4 // IP_CT_RELATED_REPLY
	ConntrackUntracked        ConntrackInfo = 7 // IP_CT_UNTRACKED
)

// Reply reports whether the packet goes in the opposite direction of the connection's first packet.
func (i ConntrackInfo) Reply() bool {
	return i == ConntrackEstablishedReply || i == ConntrackRelatedReply
}

// State returns the state in the words of nft's expression "ct state": established, related, new or
// untracked, for both directions. For any other value it returns the number.
func (i ConntrackInfo) State() string {
	switch i {
	case ConntrackEstablished, ConntrackEstablishedReply:
		return "established"
	case ConntrackRelated, ConntrackRelatedReply:
		return "related"
	case ConntrackNew:
		return "new"
	case ConntrackUntracked:
		return "untracked"
	default:
		return fmt.Sprint(uint32(i))
	}
}

// String returns the state, followed by "reply" for that direction.
func (i ConntrackInfo) String() string {
	if i.Reply() {
		return i.State() + " reply"
	}
	return i.State()
}

// A ConntrackStatus is the status of a connection, bits of enum ip_conntrack_status of
// include/uapi/linux/netfilter/nf_conntrack_common.h.
type ConntrackStatus uint32

// The bits of a ConntrackStatus.
const (
	StatusExpected      ConntrackStatus = 1 << iota // IPS_EXPECTED: it was expected because of another connection
	StatusSeenReply                                 // IPS_SEEN_REPLY: packets were seen in both directions
	StatusAssured                                   // IPS_ASSURED: it is not removed early when the table is full
	StatusConfirmed                                 // IPS_CONFIRMED: its first packet has left the host
	StatusSourceNAT                                 // IPS_SRC_NAT
	StatusDestNAT                                   // IPS_DST_NAT
	StatusSeqAdjust                                 // IPS_SEQ_ADJUST: the kernel changes its TCP sequence numbers
	StatusSourceNATDone                             // IPS_SRC_NAT_DONE
	StatusDestNATDone                               // IPS_DST_NAT_DONE
	StatusDying                                     // IPS_DYING: it is being removed from the table
	StatusFixedTimeout                              // IPS_FIXED_TIMEOUT
	StatusTemplate                                  // IPS_TEMPLATE
	StatusNATClash                                  // IPS_NAT_CLASH
	StatusHelper                                    // IPS_HELPER: a rule attached a helper to it
	StatusOffload                                   // IPS_OFFLOAD: a flow table forwards it
	StatusHWOffload                                 // IPS_HW_OFFLOAD: the network card forwards it
)

// statusNames are the names of the bits, as in nft's expression "ct status" if that has one.
var statusNames = [...]string{
	"expected", "seen-reply", "assured", "confirmed", "snat", "dnat", "seq-adjust", "snat-done", "dnat-done", "dying",
	"fixed-timeout", "template", "nat-clash", "helper", "offload", "hw-offload",
}

// String returns the names of the set bits, separated by commas. Bits without a name appear as one number.
func (s ConntrackStatus) String() string {
	var names []string
	for i, name := range statusNames {
		if bit := ConntrackStatus(1) << i; s&bit != 0 {
			names = append(names, name)
			s &^= bit
		}
	}
	if s != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(s)))
	}
	return strings.Join(names, ",")
}

const attrConntrackStatus = 3 // CTA_STATUS, enum ctattr_type of include/uapi/linux/netfilter/nfnetlink_conntrack.h

// ConntrackInfo returns the packet's relation to its connection (NFULA_CT_INFO). The kernel sends it on
// request, see [ConntrackMode].
func (p Packet) ConntrackInfo() (info ConntrackInfo, ok bool) {
	v, ok := p.uint32(attrConntrackInfo)
	return ConntrackInfo(v), ok
}

// ConntrackStatus returns the status of the packet's connection, from the attributes that Conntrack returns
// (CTA_STATUS).
func (p Packet) ConntrackStatus() (status ConntrackStatus, ok bool) {
	for rest := p.Conntrack(); len(rest) >= attributeHeaderLen; {
		n := int(binary.NativeEndian.Uint16(rest))
		if n < attributeHeaderLen || n > len(rest) {
			break
		}
		value := rest[attributeHeaderLen:n]
		if binary.NativeEndian.Uint16(rest[2:])&attributeTypeMask == attrConntrackStatus && len(value) >= 4 {
			return ConntrackStatus(binary.BigEndian.Uint32(value)), true
		}
		rest = rest[min(align(n), len(rest)):]
	}
	return 0, false
}

// Conntrack returns the attributes of the packet's connection, or nil (NFULA_CT). They are netlink attributes
// of enum ctattr_type, include/uapi/linux/netfilter/nfnetlink_conntrack.h. [netlink.NewAttributeDecoder]
// decodes them. They are borrowed.
func (p Packet) Conntrack() []byte { return p.value(attrConntrack) }
