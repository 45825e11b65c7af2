// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationConntrack requests connections in every mode. The kernel may or may not support them.
func TestIntegrationConntrack(t *testing.T) {
	has := hasConntrack(t)
	for _, tt := range []struct {
		name string
		mode nflog.ConntrackMode
		want bool // the kernel sends connections
		fail bool
	}{
		{name: "off", mode: nflog.ConntrackOff},
		{name: "preferred", mode: nflog.ConntrackPreferred, want: has},
		{name: "required", mode: nflog.ConntrackRequired, want: has, fail: !has},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns, _ := logUDP(t)
			config := nflog.ReaderConfig{NetNS: ns.FD(), Conntrack: tt.mode, QueueThreshold: 1}
			r, err := nflog.OpenGroups([]uint16{group + 1, group}, config)
			if tt.fail {
				if !errors.Is(err, nflog.ErrNoConntrack) || !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("unexpected error: %v, want %v", err, nflog.ErrNoConntrack)
				}
				open(t, ns, nflog.ReaderConfig{}) // the group is free
				return
			}
			if err != nil {
				t.Fatalf("failed to open reader: %v", err)
			}
			defer r.Close()
			if got := r.Config().Conntrack != nflog.ConntrackOff; got != tt.want {
				t.Errorf("unexpected connections: %t, want %t", got, tt.want)
			}
			send(t, ns, target4, 3)
			// The namespace does not track connections.
			for i, p := range receive(t, r, 3) {
				if p.Conntrack != nil || p.ConntrackInfo.OK || p.ConntrackStatus.OK || p.Seq != some(uint32(i)) {
					t.Errorf("unexpected packet %d: %+v", i, p)
				}
			}
		})
	}
}

// A tracked holds what a packet says of its connection.
type tracked struct {
	Prefix          string
	Info            string // "" without a connection
	Status          nflog.ConntrackStatus
	Original, Reply [2]netip.AddrPort // source and destination
}

// TestIntegrationConntrackStates checks the connections of packets of every state.
func TestIntegrationConntrackStates(t *testing.T) {
	if !hasConntrack(t) {
		kerneltest.SkipKernel(t, "connection tracking in NFLOG")
	}
	client, host := kerneltest.NS(t), kerneltest.NS(t)
	address := func(addr string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(addr)} }
	if err := netns.Veth(client, "client", address("10.0.0.2/24"), host, "host", address("10.0.0.1/24")); err != nil {
		t.Fatal(err)
	}
	const (
		open      = 9
		closed    = 10
		untracked = 11 // and closed
		redirects = 12 // to the open port
	)
	rs := nftrules.New(host)
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Prerouting, Priority: -300}).
		Rule(nftrules.UDPPort(untracked), nftrules.Notrack())
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Prerouting, Priority: -100, NAT: true}).
		Rule(nftrules.UDPPort(redirects), nftrules.Redirect(open))
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Input}).Log(group, "in")
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Output}).Log(group, "out")
	if err := rs.Apply(); err != nil {
		t.Fatal(err)
	}
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: host.FD(), Conntrack: nflog.ConntrackRequired, QueueThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	port := func(addr string, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
	}
	at := func(p uint16) netip.AddrPort { return port("10.0.0.1", p) }
	first, second := port("10.0.0.2", 1000), port("10.0.0.2", 1001)
	between := func(a, b netip.AddrPort) [2]netip.AddrPort { return [2]netip.AddrPort{a, b} }
	hostSocket, firstSocket, secondSocket := listenUDP(t, host, at(open)), listenUDP(t, client, first), listenUDP(t, client, second)

	const (
		destNAT     = nflog.StatusDestNAT | nflog.StatusDestNATDone
		established = nflog.StatusSeenReply | nflog.StatusConfirmed
	)
	for _, step := range []struct {
		name   string
		from   *net.UDPConn
		to     netip.AddrPort
		closes *net.UDPConn // before the packet is sent
		want   []tracked
	}{
		{"new", firstSocket, at(open), nil, []tracked{
			{"in", "new", 0, between(first, at(open)), between(at(open), first)},
		}},
		{"reply", hostSocket, first, nil, []tracked{
			{"out", "established reply", established, between(first, at(open)), between(at(open), first)},
		}},
		{"established", firstSocket, at(open), nil, []tracked{
			{"in", "established", established, between(first, at(open)), between(at(open), first)},
		}},
		{"related, in the direction of replies", firstSocket, at(closed), nil, []tracked{
			{"in", "new", 0, between(first, at(closed)), between(at(closed), first)},
			{"out", "related reply", nflog.StatusConfirmed, between(first, at(closed)), between(at(closed), first)},
		}},
		{"related, in the first direction", hostSocket, first, firstSocket, []tracked{
			{"out", "established reply", established, between(first, at(open)), between(at(open), first)},
			{"in", "related", established, between(first, at(open)), between(at(open), first)},
		}},
		{"untracked", secondSocket, at(untracked), nil, []tracked{{Prefix: "in"}, {Prefix: "out"}}},
		{"NAT", secondSocket, at(redirects), nil, []tracked{
			{"in", "new", destNAT, between(second, at(redirects)), between(at(open), second)},
		}},
		{"reply by NAT", hostSocket, second, nil, []tracked{
			{"out", "established reply", destNAT | established, between(second, at(redirects)), between(at(open), second)},
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.closes != nil {
				step.closes.Close()
			}
			if _, err := step.from.WriteToUDPAddrPort([]byte("test"), step.to); err != nil {
				t.Fatal(err)
			}
			var got []tracked
			for _, p := range receive(t, r, len(step.want)) {
				got = append(got, trackedOf(t, p))
			}
			if diff := cmp.Diff(step.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("unexpected connections (-want +got):\n%s", diff)
			}
		})
	}
}

// listenUDP opens a UDP socket in a namespace.
func listenUDP(t *testing.T, ns *netns.NS, addr netip.AddrPort) (conn *net.UDPConn) {
	t.Helper()
	err := ns.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
		return err
	})
	if err != nil {
		t.Fatalf("failed to listen on %v: %v", addr, err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// trackedOf returns what a packet says of its connection. Of the status it has the bits for NAT that was done, replies and
// confirmation: others depend on how old the connection is.
func trackedOf(t *testing.T, p values) tracked {
	t.Helper()
	got := tracked{Prefix: p.Prefix}
	if p.ConntrackInfo.OK {
		got.Info = p.ConntrackInfo.Value.String()
	}
	got.Status = p.ConntrackStatus.Value & (nflog.StatusSeenReply | nflog.StatusConfirmed | nflog.StatusDestNAT | nflog.StatusDestNATDone)
	if got.Status&nflog.StatusDestNAT == 0 {
		got.Status &^= nflog.StatusDestNATDone // says that NAT was considered
	}
	if p.ConntrackStatus.OK != p.ConntrackInfo.OK || p.ConntrackInfo.OK != (p.Conntrack != nil) {
		t.Errorf("attributes without others: %+v", p)
	}
	if p.Conntrack == nil {
		return got
	}
	// Numbers of enum ctattr_type, include/uapi/linux/netfilter/nfnetlink_conntrack.h.
	const original, reply = 1, 2
	ad, err := netlink.NewAttributeDecoder(p.Conntrack)
	if err != nil {
		t.Fatal(err)
	}
	for ad.Next() {
		switch ad.Type() &^ unix.NLA_F_NESTED {
		case original:
			ad.Nested(decodeTuple(&got.Original))
		case reply:
			ad.Nested(decodeTuple(&got.Reply))
		}
	}
	if err := ad.Err(); err != nil {
		t.Errorf("failed to decode the connection: %v", err)
	}
	return got
}

// decodeTuple decodes the source and destination of IPv4 packets in one direction, with the numbers of enum ctattr_tuple,
// ctattr_ip and ctattr_l4proto.
func decodeTuple(ends *[2]netip.AddrPort) func(*netlink.AttributeDecoder) error {
	return func(ad *netlink.AttributeDecoder) error {
		const ip, proto, source, destination, sourcePort, destinationPort = 1, 2, 1, 2, 2, 3
		var addrs [2]netip.Addr
		var ports [2]uint16
		for ad.Next() {
			switch ad.Type() {
			case ip:
				ad.Nested(func(ad *netlink.AttributeDecoder) error {
					for ad.Next() {
						if ad.Type() == source || ad.Type() == destination {
							addrs[ad.Type()-source], _ = netip.AddrFromSlice(ad.Bytes())
						}
					}
					return nil
				})
			case proto:
				ad.Nested(func(ad *netlink.AttributeDecoder) error {
					ad.ByteOrder = binary.BigEndian
					for ad.Next() {
						if ad.Type() == sourcePort || ad.Type() == destinationPort {
							ports[ad.Type()-sourcePort] = ad.Uint16()
						}
					}
					return nil
				})
			}
		}
		for i := range ends {
			ends[i] = netip.AddrPortFrom(addrs[i], ports[i])
		}
		return nil
	}
}
