// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"strconv"
	"strings"
)

// A Family is the family of a table, NFPROTO_* of include/uapi/linux/netfilter.h.
type Family uint8

// The families of nf_tables.
const (
	INet   Family = 1
	IPv4   Family = 2
	ARP    Family = 3
	Netdev Family = 5
	Bridge Family = 7
	IPv6   Family = 10
)

// String returns nft's word for the family, or its number where nft has none.
func (f Family) String() string {
	switch f {
	case INet:
		return "inet"
	case IPv4:
		return "ip"
	case ARP:
		return "arp"
	case Netdev:
		return "netdev"
	case Bridge:
		return "bridge"
	case IPv6:
		return "ip6"
	default:
		return strconv.Itoa(int(f))
	}
}

// NoHook is the hook of chains that are not base chains: rules jump to them.
const NoHook = -1

// A Rule is a firewall rule that logs to an NFLOG group. A rule that logs more than once is as many of them. Strings have the
// bytes that the author of the rule chose.
type Rule struct {
	Family  Family
	Table   string
	Chain   string
	Hook    int    // number of the chain's hook in its family, or NoHook
	Handle  uint64 // as nft -a shows it
	Comment string

	Group     uint16
	Prefix    string
	Threshold uint16 // packets of a batch at most, 0 if the rule does not say
	Snaplen   uint32 // bytes of a packet at most, 0 if the rule does not say

	// Limit says what lets only some of the matching packets through to the log, in words: "10/minute burst 5". It is empty if
	// all are logged.
	Limit string

	// Counted says that the rule has a counter of what it matched: one before any limit, with no other condition between it and
	// the log.
	Counted bool

	table  uint64 // handle of the table, which no other table of the namespace ever gets; 0 before Linux 4.16
	number uint8  // of the log in the rule
}

// An ID identifies a rule among all that the namespace ever had.
type ID struct {
	table, handle uint64
	number        uint8
}

// ID returns the rule's identity. A rule that is replaced, or loaded again, gets another one.
func (r *Rule) ID() ID { return ID{r.table, r.Handle, r.number} }

// anonymousChain is what the kernel calls chains without a name, followed by a number (nf_tables_addchain of
// net/netfilter/nf_tables_api.c).
const anonymousChain = "__chain"

// ChainName returns the name of the rule's chain, without the number that the kernel gives to a chain in braces. It has another
// number each time that the ruleset is loaded.
func (r *Rule) ChainName() string {
	if number, ok := strings.CutPrefix(r.Chain, anonymousChain); ok {
		if _, err := strconv.ParseUint(number, 10, 64); err == nil {
			return anonymousChain
		}
	}
	return r.Chain
}
