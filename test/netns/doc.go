// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package netns makes network namespaces for tests and for the demo, joins
// them by veth pairs and bridges, and runs functions and processes inside them.
//
// Nothing is named or mounted unless asked for: a namespace lives as long as
// its NS, its processes and its sockets. So everything here works for root and
// inside a user namespace alike.
//
// # Quiet links
//
// Tests compare exact numbers of packets, so no link made here talks of its
// own accord. It has no IPv6 link-local address and listens to no router, the
// addresses of both ends of a veth pair are known to each other as permanent
// neighbours, and a link that has an IPv6 address takes no part in ARP and
// neighbour discovery (IFF_NOARP): else the kernel would join the address's
// solicited-node group and report that by MLD. A neighbour beyond a bridge must
// therefore be told to such a link with [NS.AddNeighbor].
//
// The package is for Linux only.
package netns
