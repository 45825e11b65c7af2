// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// In messages of the families ARP and netdev, go-nflog reads struct nfgenmsg, which
// begins with the family, as the first attribute. The family number 3 of ARP is too
// short for the length of an attribute. The 5 of netdev is long enough, and the group
// becomes the type. This attribute covers the header of NFULA_PACKET_HDR, so go-nflog
// reads the EtherType and the hook in it as length and type of the next attribute,
// and so on.
const (
	dropped    = unparsed + "invalid attribute; length too short or too large"
	netdevType = "Unknown attribute: 9216 [8]" // theirGroup, and the length of NFULA_PACKET_HDR
)

// A misreadCase sends a frame from the left host: to the bridge if the family is ARP,
// and to the right host if it is netdev.
type misreadCase struct {
	name      string
	chain     nftrules.Chain
	prefix    string
	etherType uint16
	payload   []byte

	// The log of go-nflog, and the hook and the EtherType that it reads if it does
	// not drop the packet. It finds no prefix then.
	log       []string
	hook      *uint8
	etherRead *uint16

	want nflog.Attribute // without Timestamp, UID and GID
}

// TestIntegrationMisread logs packets that go-nflog drops or reads partly, and that
// nflog reads.
func TestIntegrationMisread(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("go-nflog misreads differently on big-endian machines")
	}
	n := newBridged(t)
	must(t, n.middle.AddAddresses("br0", rightHost4))
	stampPackets(t)
	for _, tt := range slices.Concat(arpCases(t, n), netdevCases(t, n)) {
		t.Run(tt.name, func(t *testing.T) {
			d := newDifferential(t, n.middle, everyPacket())
			d.log(d.rules.Chain(tt.chain), tt.prefix)
			must(t, d.rules.Apply())
			t.Cleanup(func() { must(t, d.rules.Clear()) })
			must(t, traffic.SendFrames(n.left, "eth0", frameTo(t, n, tt.chain.Family, tt.etherType, tt.payload)))

			theirs, ours := d.take(t, 1)
			if diff := cmp.Diff(tt.log, theirs.log); diff != "" {
				t.Errorf("unexpected log of go-nflog (-want +got):\n%s", diff)
			}
			if len(ours.packets) != 1 || len(ours.log) != 0 {
				t.Fatalf("nflog has read %d packets, and logged %q", len(ours.packets), ours.log)
			}
			got := ours.packets[0]
			checkPresent(t, got, "Timestamp")
			tt.want.Timestamp, tt.want.UID, tt.want.GID = got.Timestamp, got.UID, got.GID
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected packet of nflog (-want +got):\n%s", diff)
			}
			for _, read := range theirs.packets {
				if isOld() && tt.hook != nil {
					tt.hook = new(uint8(0)) // it reads the byte after the hook
				}
				misread := nflog.Attribute{Hook: read.Hook, HwProtocol: read.HwProtocol, Prefix: read.Prefix}
				if diff := cmp.Diff(nflog.Attribute{Hook: tt.hook, HwProtocol: tt.etherRead}, misread); diff != "" {
					t.Errorf("unexpected misreading of go-nflog (-want +got):\n%s", diff)
				}
				read.Hook, read.HwProtocol, read.Prefix = got.Hook, got.HwProtocol, got.Prefix
				compare(t, read, got, tt.chain.Hook == nftrules.Egress)
			}
		})
	}
}

// frameTo returns a frame from the left for rules of a family.
func frameTo(t testing.TB, n network, family nftrules.Family, etherType uint16, payload []byte) []byte {
	t.Helper()
	to := hardwareAddr(t, n.right, "eth0")
	if family == nftrules.ARP {
		to = hardwareAddr(t, n.middle, "br0")
	}
	return traffic.Ethernet(to, hardwareAddr(t, n.left, "eth0"), etherType, payload)
}

// arpCases are ARP requests and the bridge's replies.
func arpCases(t testing.TB, n network) []misreadCase {
	t.Helper()
	left, bridge := hardwareAddr(t, n.left, "eth0"), hardwareAddr(t, n.middle, "br0")
	request := traffic.ARPRequest(left, leftHost4.Addr(), rightHost4.Addr())
	in := received(t, n, "br0", frameTo(t, n, nftrules.ARP, traffic.EtherTypeARP, request))
	in.Layer2Hdr = nil

	reply := slices.Concat([]byte{0, 1, 8, 0, 6, 4, 0, 2}, bridge, rightHost4.Addr().AsSlice(), left, leftHost4.Addr().AsSlice())
	out := sent(t, n, "br0", traffic.Ethernet(left, bridge, traffic.EtherTypeARP, reply))
	out.Layer2Hdr = nil

	cases := []misreadCase{
		{name: "ARP input", chain: nftrules.Chain{Hook: nftrules.Input}, want: in},
		{name: "ARP input, prefix", chain: nftrules.Chain{Hook: nftrules.Input}, prefix: "arp in", want: in},
		{name: "ARP output", chain: nftrules.Chain{Hook: nftrules.Output}, want: out},
		{name: "ARP output, prefix", chain: nftrules.Chain{Hook: nftrules.Output}, prefix: "arp out", want: out},
	}
	for i := range cases {
		c := &cases[i]
		c.chain.Family, c.etherType, c.payload = nftrules.ARP, traffic.EtherTypeARP, request
		c.want.Prefix = &c.prefix
		c.log = []string{dropped}
	}
	return cases
}

// netdevCases are frames to the right host.
func netdevCases(t testing.TB, n network) []misreadCase {
	t.Helper()
	ipv4 := ipPacket(leftHost4.Addr(), rightHost4.Addr(), []byte("four"))
	ipv6 := ipPacket(leftHost6.Addr(), rightHost6.Addr(), []byte("six"))
	ingress := nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "left"}
	egress := nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "right"}

	// The EtherType of IPv4 is read as the length 8, others as a length beyond the
	// message. An empty prefix is read as an attribute of length 0, after which the
	// following ones are read correctly; the prefix "pre" as a length beyond the
	// message.
	const hook0, hook0Empty = "Unknown attribute: 0 [8 0 10 0]", "Unknown attribute: 0 [5 0 10 0]"
	const empty = "Unknown attribute: 0 []"
	cases := []misreadCase{
		{name: "ingress of IPv4", chain: ingress, etherType: traffic.EtherTypeIPv4, payload: ipv4, log: []string{netdevType, hook0Empty, empty}},
		{name: "ingress of IPv4, prefix", chain: ingress, prefix: "pre", etherType: traffic.EtherTypeIPv4, payload: ipv4, log: []string{netdevType, hook0, dropped}},
		{name: "ingress of IPv6", chain: ingress, etherType: traffic.EtherTypeIPv6, payload: ipv6, log: []string{netdevType, dropped}},
		{
			name: "ingress of VLAN", chain: ingress, log: []string{netdevType, hook0Empty, empty},
			etherType: traffic.EtherTypeVLAN, payload: traffic.VLAN(5<<13|42, traffic.EtherTypeIPv4, ipv4),
		},
		// The number of the hook, 1, equals the type of NFULA_PACKET_HDR: go-nflog reads
		// the header of the prefix as its value.
		{
			name: "egress of IPv4", chain: egress, etherType: traffic.EtherTypeIPv4, payload: ipv4, log: []string{netdevType, empty},
			hook: new(uint8(10)), etherRead: new(uint16(0x0500)),
		},
		{name: "egress of IPv4, prefix", chain: egress, prefix: "pre", etherType: traffic.EtherTypeIPv4, payload: ipv4, log: []string{netdevType, dropped}},
		{name: "egress of IPv6", chain: egress, etherType: traffic.EtherTypeIPv6, payload: ipv6, log: []string{netdevType, dropped}},
		{
			name: "egress of VLAN", chain: egress, log: []string{netdevType, empty},
			etherType: traffic.EtherTypeVLAN, payload: traffic.VLAN(5<<13|42, traffic.EtherTypeIPv4, ipv4),
			hook: new(uint8(10)), etherRead: new(uint16(0x0500)),
		},
	}
	for i := range cases {
		c := &cases[i]
		frame := frameTo(t, n, nftrules.Netdev, c.etherType, c.payload)
		if c.chain.Hook == nftrules.Ingress {
			c.want = received(t, n, "left", frame)
		} else {
			c.want = sent(t, n, "right", frame)
		}
		c.want.Prefix = &c.prefix
	}
	return cases
}

// received returns the attributes of a frame received by a link. The payload begins
// after the link header, and the kernel has removed a VLAN tag from it.
func received(t testing.TB, n network, link string, frame []byte) nflog.Attribute {
	t.Helper()
	header, payload, a := split(frame)
	source := header[6:12]
	a.Hook = new(uint8(0))
	a.InDev = new(index(t, n, link))
	a.HwAddr, a.HwHeader = &source, &header
	a.HwType, a.HwLen = new(uint16(1)), new(uint16(14))
	a.Payload = &payload
	return a
}

// sent returns the attributes of a frame sent by a link. The payload begins with the
// link header, and the kernel has not inserted the VLAN tag yet.
func sent(t testing.TB, n network, link string, frame []byte) nflog.Attribute {
	t.Helper()
	header, payload, a := split(frame)
	a.Hook = new(uint8(1))
	a.OutDev = new(index(t, n, link))
	a.Payload = new(slices.Concat(header, payload))
	return a
}

// split returns the link header of a frame without a VLAN tag, the payload, and the
// attributes that do not depend on the direction.
func split(frame []byte) (header, payload []byte, a nflog.Attribute) {
	const tagAt, tagLen = 12, 4
	header, payload = slices.Clone(frame[:14]), frame[14:]
	if binary.BigEndian.Uint16(frame[tagAt:]) == traffic.EtherTypeVLAN {
		a.VLAN = &nflog.VLAN{Proto: traffic.EtherTypeVLAN, TCI: binary.BigEndian.Uint16(frame[tagAt+2:])}
		header, payload = slices.Delete(slices.Clone(frame[:14+tagLen]), tagAt, tagAt+tagLen), frame[14+tagLen:]
	}
	a.HwProtocol = new(binary.BigEndian.Uint16(header[12:]))
	a.Layer2Hdr = &header
	a.Seq = new(uint32(0))
	return header, payload, a
}

// index returns the index of a link of the middle namespace.
func index(t testing.TB, n network, name string) uint32 {
	t.Helper()
	ifi, err := n.middle.Interface(name)
	must(t, err)
	return uint32(ifi.Index)
}
