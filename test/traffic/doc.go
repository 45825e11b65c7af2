// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package traffic sends known numbers of packets from inside a network
// namespace, for tests and for the demo: by the kernel's own UDP, TCP and ICMP,
// and made byte by byte where the kernel would not send them so.
//
// Each function says how many packets reach the output hook of the namespace.
// One that a rule drops there counts as sent. What becomes of the others, and
// what is answered, is the business of whoever receives them: UDP to a port
// where nobody listens is answered with ICMP errors, which [Sink] prevents.
//
// The package is for Linux only; what makes packets works everywhere.
package traffic
