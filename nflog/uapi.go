// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// Types of netlink's own messages, include/uapi/linux/netlink.h. The types of subsystems begin at
// typeMinimum.
const (
	typeError   = 2    // NLMSG_ERROR
	typeMinimum = 0x10 // NLMSG_MIN_TYPE
)

// Message types of nfnetlink_log, as include/uapi/linux/netfilter/nfnetlink_log.h and
// nfnetlink.h number them.
const (
	subsystem = 4 // NFNL_SUBSYS_ULOG

	typePacket = subsystem << 8   // NFULNL_MSG_PACKET
	typeConfig = subsystem<<8 | 1 // NFULNL_MSG_CONFIG

	// typeProbe is a type that no kernel knows. The kernel checks the sender's capability
	// before the type, so its answer tells whether that is what a request lacked.
	typeProbe = subsystem<<8 | 0xff
)

// Lengths of the fixed parts of a message.
const (
	headerLen          = 16                          // struct nlmsghdr
	attributesAt       = headerLen + 4               // the first attribute, after struct nfgenmsg
	attributeHeaderLen = 4                           // struct nlattr
	attributeTypeMask  = 0x3fff                      // NLA_TYPE_MASK: without the bits for nested and byte order
	alignment          = 4                           // NLMSG_ALIGNTO and NLA_ALIGNTO
	maxPayload         = 0xffff - attributeHeaderLen // NFULNL_COPY_RANGE_MAX
)

// attributeType is the type of an attribute of a packet message.
type attributeType uint16

// enum nfulnl_attr_type.
const (
	attrPacketHeader  attributeType = iota + 1 // NFULA_PACKET_HDR
	attrMark                                   // NFULA_MARK
	attrTimestamp                              // NFULA_TIMESTAMP
	attrInDev                                  // NFULA_IFINDEX_INDEV
	attrOutDev                                 // NFULA_IFINDEX_OUTDEV
	attrPhysInDev                              // NFULA_IFINDEX_PHYSINDEV
	attrPhysOutDev                             // NFULA_IFINDEX_PHYSOUTDEV
	attrHWAddr                                 // NFULA_HWADDR
	attrPayload                                // NFULA_PAYLOAD
	attrPrefix                                 // NFULA_PREFIX
	attrUID                                    // NFULA_UID
	attrSeq                                    // NFULA_SEQ
	attrSeqGlobal                              // NFULA_SEQ_GLOBAL
	attrGID                                    // NFULA_GID
	attrHWType                                 // NFULA_HWTYPE
	attrHWHeader                               // NFULA_HWHEADER
	attrHWLen                                  // NFULA_HWLEN
	attrConntrack                              // NFULA_CT
	attrConntrackInfo                          // NFULA_CT_INFO
	attrVLAN                                   // NFULA_VLAN
	attrL2Header                               // NFULA_L2HDR

	// The attributes nested in NFULA_VLAN, numbered on from the others.
	attrVLANProtocol // NFULA_VLAN_PROTO
	attrVLANTCI      // NFULA_VLAN_TCI
	attributeTypes
)

// attributeMinLen is the length of each attribute's value, of one of variable length the shortest.
// A kernel may append to a structure, so longer values are good.
var attributeMinLen = [attributeTypes]int{
	attrPacketHeader:  4,
	attrMark:          4,
	attrTimestamp:     16,
	attrInDev:         4,
	attrOutDev:        4,
	attrPhysInDev:     4,
	attrPhysOutDev:    4,
	attrHWAddr:        12,
	attrUID:           4,
	attrSeq:           4,
	attrSeqGlobal:     4,
	attrGID:           4,
	attrHWType:        2,
	attrHWLen:         2,
	attrConntrackInfo: 4,
	attrVLANProtocol:  2,
	attrVLANTCI:       2,
}

// align rounds n up to the alignment of messages and attributes.
func align(n int) int { return (n + alignment - 1) &^ (alignment - 1) }
