// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

// Netlink's own messages and flags, include/uapi/linux/netlink.h.
const (
	typeError = 2 // NLMSG_ERROR
	typeDone  = 3 // NLMSG_DONE

	flagRequest     = 0x1           // NLM_F_REQUEST
	flagAcknowledge = 0x4           // NLM_F_ACK
	flagInterrupted = 0x10          // NLM_F_DUMP_INTR
	flagDump        = 0x100 | 0x200 // NLM_F_DUMP

	headerLen          = 16     // struct nlmsghdr
	attributesAt       = 16 + 4 // offset of the first attribute, after struct nfgenmsg
	attributeHeaderLen = 4      // struct nlattr
	attributeTypeMask  = 0x3fff // NLA_TYPE_MASK: the type without the flags for nesting and byte order
	attributeNested    = 0x8000 // NLA_F_NESTED
)

// Messages of nfnetlink's subsystems nf_tables and nfnetlink_log, include/uapi/linux/netfilter/nfnetlink.h, nf_tables.h and
// nfnetlink_log.h.
const (
	nfTables = 10 << 8 // NFNL_SUBSYS_NFTABLES

	newTable      = nfTables      // NFT_MSG_NEWTABLE
	getTable      = nfTables | 1  // NFT_MSG_GETTABLE
	newChain      = nfTables | 3  // NFT_MSG_NEWCHAIN
	getChain      = nfTables | 4  // NFT_MSG_GETCHAIN
	newRule       = nfTables | 6  // NFT_MSG_NEWRULE
	getRule       = nfTables | 7  // NFT_MSG_GETRULE
	newGeneration = nfTables | 15 // NFT_MSG_NEWGEN
	getGeneration = nfTables | 16 // NFT_MSG_GETGEN

	configureGroup = 4<<8 | 1 // NFULNL_MSG_CONFIG
)

// Attributes of tables, chains, rules and generations, enum nft_table_attributes and so on.
const (
	tableName   = 1
	tableFlags  = 2
	tableHandle = 4

	tableDormant = 1 // NFT_TABLE_F_DORMANT

	chainTable = 1
	chainName  = 3
	chainHook  = 4

	hookNumber = 1

	ruleTable       = 1
	ruleChain       = 2
	ruleHandle      = 3
	ruleExpressions = 4
	ruleUserData    = 7

	userDataComment = 0 // NFTNL_UDATA_RULE_COMMENT of libnftnl

	generationID = 1
)

// Attributes of expressions, enum nft_expr_attributes and so on.
const (
	listElement = 1

	expressionName = 1
	expressionData = 2

	logGroup     = 1
	logPrefix    = 2
	logSnaplen   = 3
	logThreshold = 4

	counterPackets = 2

	limitRate  = 1
	limitUnit  = 2
	limitBurst = 3
	limitType  = 4
	limitFlags = 5

	limitBytes    = 1 // NFT_LIMIT_PKT_BYTES
	limitInverted = 1 // NFT_LIMIT_F_INV

	dynamicSetExpression  = 7
	dynamicSetExpressions = 10

	objectType = 1 // NFTA_OBJREF_IMM_TYPE

	objectQuota     = 2
	objectLimit     = 4
	objectConnLimit = 5

	// Of both matches and targets of xtables.
	extensionName = 1
	extensionInfo = 3
)

// Attributes of the configuration of a group, enum nfulnl_attr_config.
const (
	configCommand = 1 // NFULA_CFG_CMD

	commandUnbind = 2 // NFULNL_CFG_CMD_UNBIND
)
