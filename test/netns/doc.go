// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package netns makes network namespaces for tests, the demo and the bench,
// connects them by veth pairs and bridges, and runs functions and processes in
// them.
//
// A namespace has no name and no mount, except by [NS.Mount]. It lives as long as
// its NS, its processes and its sockets. All functions work for root and inside a
// user namespace.
//
// # Quiet links
//
// Tests compare exact numbers of packets, so a link made here sends no packets of
// its own:
//
//   - It has no IPv6 link-local address and ignores router advertisements.
//   - Each end of a veth pair has the addresses of the other end as permanent
//     neighbours.
//   - A link with an IPv6 address does no ARP and no neighbour discovery
//     (IFF_NOARP). Otherwise the kernel would join the address's solicited-node
//     group and report that by MLD. Neighbours beyond a bridge must be added to
//     such a link with [NS.AddNeighbor].
//
// The package is for Linux only.
package netns
