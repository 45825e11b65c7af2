// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// group is the NFLOG group that the exporter reads by default.
const group = 100

// A node is a pair of addresses of a host, from the ranges for documentation
// (RFC 5737, RFC 3849).
type node struct {
	v4, v6 netip.Prefix
}

// The nodes of the network. The router has one on each side: lan and wan.
var (
	client = node{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8:1::2/64")}
	lan    = node{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8:1::1/64")}
	wan    = node{netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8:2::1/64")}
	server = node{netip.MustParsePrefix("198.51.100.2/24"), netip.MustParsePrefix("2001:db8:2::2/64")}
)

// addresses returns the addresses of n with their prefix lengths.
func (n node) addresses() []netip.Prefix {
	return []netip.Prefix{n.v4, n.v6}
}

// A network is a client and a server with a router between them.
type network struct {
	client, router, server *netns.NS
}

// newNetwork makes the namespaces and connects them. Close the network even after an
// error.
func newNetwork() (n *network, err error) {
	n = &network{}
	for _, ns := range []**netns.NS{&n.client, &n.router, &n.server} {
		if *ns, err = netns.New(); err != nil {
			return n, err
		}
	}
	// Before the links are made, so that they are quiet (see NS.Forward).
	if err := n.router.Forward(); err != nil {
		return n, err
	}
	if err := errors.Join(
		netns.Veth(n.client, "eth0", client.addresses(), n.router, "lan", lan.addresses()),
		netns.Veth(n.server, "eth0", server.addresses(), n.router, "wan", wan.addresses()),
	); err != nil {
		return n, err
	}
	return n, errors.Join(
		n.client.AddDefaultRoute(lan.v4.Addr()),
		n.client.AddDefaultRoute(lan.v6.Addr()),
		n.server.AddDefaultRoute(wan.v4.Addr()),
		n.server.AddDefaultRoute(wan.v6.Addr()),
	)
}

// Close removes the network.
func (n *network) Close() error {
	var errs []error
	for _, ns := range []*netns.NS{n.client, n.router, n.server} {
		if ns != nil {
			errs = append(errs, ns.Close())
		}
	}
	return errors.Join(errs...)
}

// addRules gives the router a firewall as one might find it, which logs what
// it does.
func (n *network) addRules() error {
	rs := nftrules.New(n.router)

	input := rs.Chain(nftrules.Chain{Hook: nftrules.Input, Drop: true})
	input.Log(group, "fw input accept ", nftrules.ICMP(), nftrules.Accept())
	input.Log(group, "fw input accept ", nftrules.ICMPv6(), nftrules.Accept())
	input.Log(group, "fw input accept ssh ", nftrules.TCPPort(22), nftrules.Accept())
	input.Log(group, "fw input drop ")

	forward := rs.Chain(nftrules.Chain{Hook: nftrules.Forward, Drop: true})
	forward.Log(group, "fw forward accept dns ", nftrules.UDPPort(53), nftrules.Accept())
	forward.Log(group, "fw forward accept web ", nftrules.TCPPort(80), nftrules.Accept())
	forward.Log(group, "fw forward reject ", nftrules.TCPPort(23), nftrules.Reject())
	forward.Log(group, "fw forward accept reply ", nftrules.InInterface("wan"), nftrules.OutInterface("lan"), nftrules.Accept())
	forward.Log(group, "fw forward drop ")

	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(group, "fw output accept ")

	// As early as a packet can be seen.
	raw := rs.Chain(nftrules.Chain{Hook: nftrules.Prerouting, Priority: -300})
	raw.Log(group, "raw ping ", nftrules.L4Proto(unix.IPPROTO_ICMP))
	ingress := rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "wan"})
	ingress.Log(group, "lldp ", nftrules.EtherType(traffic.EtherTypeLLDP))

	if err := rs.Apply(); err != nil {
		return fmt.Errorf("%w: the kernel needs nf_tables and nfnetlink_log", err)
	}
	return nil
}
