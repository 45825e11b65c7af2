// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// Types of netlink's own messages, include/uapi/linux/netlink.h. The types of subsystems begin at
// typeMinimum.
const (
	typeError   = 2    // NLMSG_ERROR
	typeMinimum = 0x10 // NLMSG_MIN_TYPE
)

// Types of nfnetlink_log's messages, include/uapi/linux/netfilter/nfnetlink_log.h and nfnetlink.h.
const (
	subsystem = 4 // NFNL_SUBSYS_ULOG

	typePacket = subsystem << 8   // NFULNL_MSG_PACKET
	typeConfig = subsystem<<8 | 1 // NFULNL_MSG_CONFIG

	// typeProbe is a type that no kernel knows. The kernel checks the sender's capability before the
	// type, so its answer shows whether the capability is missing.
	typeProbe = subsystem<<8 | 0xff
)

// Lengths of the fixed parts of a message.
const (
	headerLen          = 16            // struct nlmsghdr
	attributesAt       = headerLen + 4 // offset of the first attribute, after struct nfgenmsg
	attributeHeaderLen = 4             // struct nlattr
	attributeTypeMask  = 0x3fff        // NLA_TYPE_MASK: the type without the flags for nesting and byte order
	alignment          = 4             // NLMSG_ALIGNTO and NLA_ALIGNTO
)

// Commands and attributes of a configuration message, enum nfulnl_msg_config_cmds and enum
// nfulnl_attr_config of include/uapi/linux/netfilter/nfnetlink_log.h.
const (
	commandBind   = 1 // NFULNL_CFG_CMD_BIND
	commandUnbind = 2 // NFULNL_CFG_CMD_UNBIND

	configCommand        = 1 // NFULA_CFG_CMD
	configMode           = 2 // NFULA_CFG_MODE
	configBatchBuffer    = 3 // NFULA_CFG_NLBUFSIZ
	configQueueTimeout   = 4 // NFULA_CFG_TIMEOUT
	configQueueThreshold = 5 // NFULA_CFG_QTHRESH
	configFlags          = 6 // NFULA_CFG_FLAGS
)

// An attributeType is the type of an attribute in a packet message.
type attributeType uint16

// Attributes of a packet message, enum nfulnl_attr_type.
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

	// Attributes nested in NFULA_VLAN, enum nfulnl_vlan_attr. Their own numbers begin at 1; here they
	// follow the others.
	attrVLANProtocol // NFULA_VLAN_PROTO
	attrVLANTCI      // NFULA_VLAN_TCI
	attributeTypes
)

// attributeMinLen is the shortest valid length of each attribute's value. Longer values are valid too:
// a kernel may append fields to a structure.
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
