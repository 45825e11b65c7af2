// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nftrules installs nftables rules that log to NFLOG groups, for tests and
// for the demo, and reads the rules' own counters back: the kernel's word on
// how many packets a reader of the group has to account for.
//
//	rs := rules.New(ns)
//	input := rs.Chain(rules.Chain{Hook: rules.Input})
//	rule := input.Log(100, "fw input drop ", rules.UDPPort(9), rules.Drop())
//	if err := rs.Apply(); err != nil {
//		return err
//	}
//	// traffic
//	packets, bytes, err := rule.Count()
//
// Each rule is made of its matches, a counter, then marks, then the log and at
// last the verdict, in whatever order its parts are given: it counts exactly
// the packets that it logs.
//
// The package is for Linux only.
package nftrules
