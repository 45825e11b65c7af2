// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nftrules installs nftables rules that log to NFLOG groups, for tests, the
// demo and the bench, and reads the counters of these rules. The counters are the
// number of packets that a reader of the group must account for.
//
//	rs := nftrules.New(ns)
//	input := rs.Chain(nftrules.Chain{Hook: nftrules.Input})
//	rule := input.Log(100, "fw input drop ", nftrules.UDPPort(9), nftrules.Drop())
//	if err := rs.Apply(); err != nil {
//		return err
//	}
//	// send packets
//	packets, bytes, err := rule.Count()
//
// A rule consists of matches, a counter, marks, the log and a verdict, in this order
// however its parts are given. So it counts exactly the packets that it logs.
//
// The package is for Linux only.
package nftrules
