// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ruleset finds out which firewall rules log to NFLOG groups. It reads nf_tables, where nft writes its rules, and
// iptables-nft, ip6tables-nft and ebtables-nft theirs. Rules of iptables-legacy are elsewhere in the kernel: it does not see them.
//
// A [Conn] asks the kernel. A [Watcher] asks it again and again, and keeps what it found as [Facts]:
//
//   - Every [Interval] it asks for the generation of the ruleset, which each change of nf_tables moves. That is one small message.
//     It does not subscribe to changes: with a subscriber, the kernel builds a message for each rule of each change.
//   - If the generation has moved, it reads all tables, rules and chains, each in one dump. To ask chain by chain would make the
//     kernel walk the whole table for each chain. A change during a dump makes the dump void, so it is asked for again.
//   - Counters move without the generation. While somebody uses the facts, those of the rules that log are asked for by the rules'
//     handles.
//   - It asks the kernel for each group that rules log to whether a socket is bound to it.
//
// All of this takes less than half a percent of a CPU on average: the dearer it was, the longer the Watcher waits. What was found
// has a time, so that its age can be told. Only rules that log are kept, at most [MaxRules].
package ruleset
