// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// addressInterval is the least time between two lists of all addresses. Where pods come and go, each brings addresses.
const addressInterval = 100 * time.Millisecond

// startAddresses follows addresses until the context ends. A message about an address is only a reason to ask the kernel for all of
// them.
func (f *linkFollower) startAddresses(ctx context.Context, wg *sync.WaitGroup) {
	s := &subscription{
		subject: "addresses of interfaces", groups: []uint32{unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR},
		dial: f.dial, buffer: f.buffer, logger: f.logger,
		onDatagram: func([]byte) bool { return false },
	}
	var last time.Time
	s.updateAll = func() error {
		select {
		case <-ctx.Done():
		case <-time.After(addressInterval - time.Since(last)):
		}
		last = time.Now()
		return f.listAddresses()
	}
	messages, err := s.subscribe()
	wg.Go(func() { s.run(ctx, messages, err) })
}

// listAddresses updates the networks of all interfaces.
func (f *linkFollower) listAddresses() error {
	conn, err := f.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Send(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETADDR, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, unix.SizeofIfAddrmsg),
	})
	if err != nil {
		return fmt.Errorf("list all addresses: %w", err)
	}
	networks := make(map[uint32][]netip.Prefix)
	for m, err := range conn.ReceiveIter() {
		if err != nil {
			return fmt.Errorf("list all addresses: %w", err)
		}
		index, of := parseAddress(m.Data)
		if len(of) > 0 {
			networks[index] = append(networks[index], of...)
		}
	}
	for _, of := range networks {
		slices.SortFunc(of, netip.Prefix.Compare)
	}
	f.names.setNetworks(networks)
	return nil
}

// parseAddress returns the interface and the networks of an address message: a struct ifaddrmsg and attributes. There are two for
// the end of a tunnel: its own address, and the network of its peer, as the kernel makes the route of it (fib_add_ifaddr,
// net/ipv4/fib_frontend.c). There is none if the message is malformed, or the address is link-local and of IPv6.
func parseAddress(message []byte) (index uint32, networks []netip.Prefix) {
	if len(message) < unix.SizeofIfAddrmsg {
		return 0, nil
	}
	family, bits := message[0], int(message[1])
	ad, err := netlink.NewAttributeDecoder(message[unix.SizeofIfAddrmsg:])
	if err != nil {
		return 0, nil
	}
	var address, local netip.Addr
	for ad.Next() {
		switch ad.Type() {
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(ad.Bytes())
		}
	}
	want := netip.Addr.Is6
	if family == unix.AF_INET {
		want = netip.Addr.Is4
	}
	if ad.Err() != nil || family != unix.AF_INET && family != unix.AF_INET6 {
		return 0, nil
	}
	index = binary.NativeEndian.Uint32(message[4:])
	if want(address) && !everywhere(address) {
		if p, err := address.Prefix(bits); err == nil {
			networks = append(networks, p)
		}
	}
	if want(local) && local != address && !everywhere(local) {
		networks = append(networks, netip.PrefixFrom(local, local.BitLen()))
	}
	return index, networks
}

// everywhere reports whether an address is in the network that each interface with IPv6 has.
func everywhere(addr netip.Addr) bool { return addr.Is6() && addr.IsLinkLocalUnicast() }
