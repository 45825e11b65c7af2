// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// onePacket returns the packet of a message.
func onePacket(t testing.TB, m nflogtest.Message) nflog.Packet {
	t.Helper()
	for p := range nflog.NewDecoder(m.Group).Decode(m.Append(nil)).Packets() {
		return p
	}
	t.Fatal("there is no packet")
	return nflog.Packet{}
}

func newTestExtractor(t testing.TB, mask uint32, names ...string) extractor {
	t.Helper()
	selection, err := selectLabels(names)
	if err != nil {
		t.Fatal(err)
	}
	return newExtractor(selection, mask, []uint16{22, 443, 1023, 8080, 51820, 65535})
}

// optionalLabels are the labels that an extractor knows.
var optionalLabels = []label{
	labelMark, labelUID, labelGID, labelVLAN, labelTCPFlags, labelICMPType, labelConntrackState, labelDSCP,
	labelDestinationPort,
}

func values(o optional) map[string]string {
	values := make(map[string]string)
	for _, l := range optionalLabels {
		values[labelNames[l]] = o.value(l)
	}
	return values
}

// TestOptionalOfMessage checks the labels that the kernel tells beside the packet.
func TestOptionalOfMessage(t *testing.T) {
	message := func(m nflogtest.Message) nflogtest.Message {
		m.Family, m.HWProtocol, m.Hook, m.Payload = 2, 0x0800, 3, nflogtest.Unhex(nflogtest.IPv4UDP)
		return m
	}
	connection := []byte{8, 0, 3, 0, 0, 0, 0, 0}
	tests := []struct {
		name    string
		label   string
		mask    uint32 // of the mark
		message nflogtest.Message
		want    string
	}{
		{name: "no mark", label: "mark", mask: 0xffffffff, want: "0x0"},
		{name: "mark", label: "mark", mask: 0xffffffff, message: nflogtest.Message{Mark: 0x1f}, want: "0x1f"},
		{name: "largest mark", label: "mark", mask: 0xffffffff, message: nflogtest.Message{Mark: 0xffffffff}, want: "0xffffffff"},
		{name: "masked mark", label: "mark", mask: 0xff00, message: nflogtest.Message{Mark: 0x123456}, want: "0x3400"},
		{name: "mark outside of the mask", label: "mark", mask: 0xff00, message: nflogtest.Message{Mark: 0x10001}, want: "0x0"},

		{name: "no user", label: "uid", want: ""},
		{name: "user", label: "uid", message: nflogtest.Message{UID: 1000, GID: 100}, want: "1000"},
		{name: "root", label: "uid", message: nflogtest.Message{Owner: true}, want: "0"},
		{name: "user without group", label: "uid", message: nflogtest.Message{UID: 1000}, want: "1000"},
		{name: "largest user", label: "uid", message: nflogtest.Message{UID: 4294967295}, want: "4294967295"},
		{name: "no group", label: "gid", want: ""},
		{name: "group", label: "gid", message: nflogtest.Message{UID: 1000, GID: 100}, want: "100"},
		{name: "root's group", label: "gid", message: nflogtest.Message{Owner: true, UID: 1000}, want: "0"},
		{name: "user without group, group", label: "gid", message: nflogtest.Message{UID: 1000}, want: ""},
		{name: "largest group", label: "gid", message: nflogtest.Message{GID: 4294967295}, want: "4294967295"},

		{name: "no connection", label: "conntrack_state", want: ""},
		{name: "established", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 0}, want: "established"},
		{name: "related", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 1}, want: "related"},
		{name: "new", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 2}, want: "new"},
		{name: "established, reply", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 3}, want: "established"},
		{name: "related, reply", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 4}, want: "related"},
		{name: "untracked", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 7}, want: "untracked"},
		{name: "a state that there is not yet", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 5}, want: "5"},
		{name: "a state that there can't be", label: "conntrack_state", message: nflogtest.Message{Conntrack: connection, CTInfo: 8}, want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newTestExtractor(t, tt.mask, tt.label)
			p := onePacket(t, message(tt.message))
			if diff := cmp.Diff(withValue(tt.label, tt.want), values(x.extract(p, packet.Parse(p)))); diff != "" {
				t.Errorf("unexpected labels (-want +got):\n%s", diff)
			}
		})
	}
}

// withValue returns the values of labels where only one may have any.
func withValue(name, value string) map[string]string {
	values := values(optional{})
	values[name] = value
	return values
}

// TestOptionalOfVLAN checks in which VLAN a packet is: that of the kernel's tag, or of the first one that
// is in the packet.
func TestOptionalOfVLAN(t *testing.T) {
	const (
		tag      = nflogtest.Ethernet + "8100 6005 0800" + nflogtest.IPv4UDP
		twoTags  = nflogtest.Ethernet + "88a8 2007 8100 0006 0800" + nflogtest.IPv4UDP
		ipv4Link = nflogtest.Ethernet + "0800"
	)
	tests := []struct {
		name    string
		message nflogtest.Message
		payload string
		want    string
	}{
		{name: "bridge, none", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv4UDP, want: ""},
		{name: "bridge, beside", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv4UDP, want: "42"},
		{name: "bridge, largest", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 0xffff}, payload: nflogtest.IPv4UDP, want: "4095"},
		{name: "bridge, priority alone", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 0xa000}, payload: nflogtest.IPv4UDP, want: "0"},
		{name: "bridge, LLDP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x88cc, VLAN: 42}, payload: "0207", want: "42"},
		{name: "bridge, in the packet", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100}, payload: "6005 0800" + nflogtest.IPv4UDP, want: "5"},
		{name: "netdev ingress, none", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x86dd, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv6UDP, want: ""},
		{name: "netdev ingress, beside", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x86dd, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv6UDP, want: "42"},
		{name: "netdev ingress, beside and in the packet", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100, VLAN: 42}, payload: "6005 0800" + nflogtest.IPv4UDP, want: "42"},
		{name: "netdev ingress, two in the packet", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "2007 8100 0006 0800" + nflogtest.IPv4UDP, want: "7"},
		{name: "netdev ingress, nothing copied", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800, VLAN: 42}, payload: "", want: "42"},
		{name: "netdev ingress, tag cut in the id", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "00", want: ""},
		{name: "netdev ingress, tag cut behind the id", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005", want: "5"},
		{name: "netdev egress, none", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: nflogtest.Unhex(ipv4Link)}, payload: ipv4Link + nflogtest.IPv4UDP, want: ""},
		{name: "netdev egress, beside", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: ipv4Link + nflogtest.IPv4UDP, want: "42"},
		{name: "netdev egress, in the link header", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(tag)[:18]}, payload: tag, want: "5"},
		{name: "netdev egress, behind the link header", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(tag)[:14]}, payload: tag, want: "5"},
		{name: "netdev egress, two in the link header", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x88a8, L2Header: nflogtest.Unhex(twoTags)[:22]}, payload: twoTags, want: "7"},
		{name: "netdev egress, cut in the addresses", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(tag)[:18]}, payload: "0200 0000 0002", want: ""},
		{name: "arp output, none", message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806}, payload: nflogtest.Broadcast + "0806" + nflogtest.ARPRequest, want: ""},
		{name: "arp output, in the link header", message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806}, payload: nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest, want: "5"},
		{name: "arp input", message: nflogtest.Message{Family: 3, Hook: 0, HWProtocol: 0x0806}, payload: nflogtest.ARPRequest, want: ""},
		{name: "ip", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, payload: "4500 001c 0000 0000 4011 0000 8100 0001 0a00 0002 0009 0009 0008 0000", want: ""},
		{name: "ip6", message: nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd}, payload: nflogtest.IPv6UDP, want: ""},
	}
	x := newTestExtractor(t, 0, "vlan")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.message.Payload = nflogtest.Unhex(tt.payload)
			p := onePacket(t, tt.message)
			if diff := cmp.Diff(withValue("vlan", tt.want), values(x.extract(p, packet.Parse(p)))); diff != "" {
				t.Errorf("unexpected labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOptionalChosen checks that each label tells packets apart where it was chosen, and only there.
func TestOptionalChosen(t *testing.T) {
	messages := []nflogtest.Message{
		{
			Family: 5, Hook: 0, HWProtocol: 0x0800, VLAN: 42, Mark: 0x1f, UID: 1000, GID: 100,
			Conntrack: []byte{8, 0, 3, 0, 0, 0, 0, 0}, CTInfo: 3,
			Payload: nflogtest.Unhex("45b8 0028 0000 4000 4006 0000 0a00 0001 0a00 0002" + nflogtest.TCPTo443 + "5018 0000 0000 0000"),
		},
		{
			Family: 10, Hook: 1, HWProtocol: 0x86dd,
			Payload: nflogtest.Unhex(nflogtest.IPv6Header("0008", "3a") + "8000 0000 0001 0001"),
		},
	}
	all := []map[string]string{
		{
			"mark": "0x1f", "uid": "1000", "gid": "100", "vlan": "42", "tcp_flags": "ack", "icmp_type": "",
			"conntrack_state": "established", "dscp": "ef", "destination_port": "443",
		},
		{
			"mark": "0x0", "uid": "", "gid": "", "vlan": "", "tcp_flags": "", "icmp_type": "echo-request",
			"conntrack_state": "", "dscp": "cs0", "destination_port": "",
		},
	}
	for i, m := range messages {
		p := onePacket(t, m)
		extract := func(names ...string) optional {
			x := newTestExtractor(t, 0xffffffff, names...)
			if got, want := x.any(), len(names) > 0 && names[0] != "protocol"; got != want {
				t.Errorf("any says %t of %q", got, names)
			}
			return x.extract(p, packet.Parse(p))
		}
		if diff := cmp.Diff(all[i], values(extract(LabelNames()[labelMark:]...))); diff != "" {
			t.Errorf("packet %d: unexpected labels (-want +got):\n%s", i, diff)
		}
		for name, value := range all[i] {
			if diff := cmp.Diff(withValue(name, value), values(extract(name))); diff != "" {
				t.Errorf("packet %d: unexpected labels where only %s was chosen (-want +got):\n%s", i, name, diff)
			}
		}
		for _, names := range [][]string{nil, {"protocol", "phys_in_interface", "phys_out_interface"}} {
			if got := extract(names...); got != (optional{}) {
				t.Errorf("packet %d: %q make optional %+v", i, names, got)
			}
		}
	}
}

// TestOptionalCanonical checks that packets whose labels have the same values have equal optional.
func TestOptionalCanonical(t *testing.T) {
	connection := []byte{8, 0, 3, 0, 0, 0, 0, 0}
	bridged := func(tag uint16) nflogtest.Message {
		return nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: tag, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)}
	}
	tracked := func(info uint32) nflogtest.Message {
		return nflogtest.Message{Family: 2, HWProtocol: 0x0800, Conntrack: connection, CTInfo: info}
	}
	tests := []struct {
		name string
		a, b nflogtest.Message
	}{
		{name: "mark outside of the mask", a: nflogtest.Message{Family: 2, Mark: 0x10001}, b: nflogtest.Message{Family: 2}},
		{name: "established", a: tracked(0), b: tracked(3)},
		{name: "related", a: tracked(1), b: tracked(4)},
		{name: "VLAN beside, priorities", a: bridged(0x0005), b: bridged(0xf005)},
		{
			name: "VLAN in the packet, priorities",
			a:    nflogtest.Message{Family: 7, HWProtocol: 0x8100, Payload: nflogtest.Unhex("0005 0800" + nflogtest.IPv4UDP)},
			b:    nflogtest.Message{Family: 7, HWProtocol: 0x8100, Payload: nflogtest.Unhex("f005 0800" + nflogtest.IPv4UDP)},
		},
		{name: "DSCP of IPv4 and IPv6", a: ipPacket("4578 001c 0000 0000 402f 0000 0a00 0001 0a00 0002"), b: ipPacket("6783" + nflogtest.IPv6Header("0008", "2f")[4:])},
		{name: "ports of a range", a: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 0400 0008 0000"), b: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 bfff 0008 0000")},
		{name: "ports of TCP and UDP", a: ipPacket(nflogtest.IPv4Header("001c", "06") + "0009 01bb"), b: ipPacket(nflogtest.IPv4Header("001c", "11") + "0009 01bb")},
		{name: "flags", a: ipPacket(nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + "5010"), b: ipPacket(nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + "5018")},
		{name: "types of ICMP and ICMPv6", a: ipPacket(nflogtest.IPv4Header("001c", "01") + "0800"), b: ipPacket(nflogtest.IPv6Header("0008", "3a") + "8000")},
		{name: "types of ICMP and ICMPv6, without a name", a: ipPacket(nflogtest.IPv4Header("001c", "01") + "c800"), b: ipPacket(nflogtest.IPv6Header("0008", "3a") + "c800")},
	}
	x := newTestExtractor(t, 0xff00, LabelNames()...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var of [2]optional
			for i, m := range []nflogtest.Message{tt.a, tt.b} {
				p := onePacket(t, m)
				of[i] = x.extract(p, packet.Parse(p))
			}
			if diff := cmp.Diff(values(of[0]), values(of[1])); diff != "" {
				t.Fatalf("the values are not the same (-a +b):\n%s", diff)
			}
			if of[0] != of[1] {
				t.Errorf("optional are %+v and %+v", of[0], of[1])
			}
		})
	}
}

// TestExtractAllocates checks that nothing is allocated for a packet.
func TestExtractAllocates(t *testing.T) {
	x := newTestExtractor(t, 0xffffffff, LabelNames()...)
	p := onePacket(t, nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)})
	if n := testing.AllocsPerRun(100, func() { x.extract(p, packet.Parse(p)) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}
