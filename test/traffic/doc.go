// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package traffic sends known numbers of packets from inside a network namespace,
// for tests, the demo and the bench. It sends UDP, TCP and ICMP by sockets, and
// other packets and frames byte by byte.
//
// The doc comment of each function says how many packets reach the output hook of
// the namespace. A packet that a rule drops there counts as sent. The receiver may
// answer: with ICMP errors, for example, to UDP packets for a port without a socket.
// [Sink] prevents that.
//
// Functions that send are for Linux only. Those that only build packets are for all
// systems.
package traffic
