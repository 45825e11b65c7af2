// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// onePacket returns the packet of a message.
func onePacket(m nflogtest.Message) nflog.Packet {
	return slices.Collect(nflog.NewDecoder(m.Group).Decode(m.Append(nil)).Packets())[0]
}

// ipPacket returns the message of an IP packet at the input hook. Its first hexadecimal digit is the IP version.
func ipPacket(packet string) nflogtest.Message {
	m := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.Unhex(packet)}
	if strings.HasPrefix(packet, "6") {
		m.Family, m.HWProtocol = 10, 0x86dd
	}
	return m
}

// conntrack is the attribute CTA_STATUS of a connection.
var conntrack = []byte{8, 0, 3, 0, 0, 0, 0, 0}

// newTestExtractor returns an extractor for labels with these names, and for some ports.
func newTestExtractor(t testing.TB, mask uint32, names ...string) extractor {
	t.Helper()
	selection, err := selectLabels(names)
	if err != nil {
		t.Fatal(err)
	}
	return newExtractor(selection, mask, []uint16{22, 443, 1023, 8080, 51820, 65535})
}

// parsed returns the headers of a packet.
func parsed(p nflog.Packet) *packet.Parsed {
	h := &packet.Parsed{}
	h.Parse(p)
	return h
}

// extractMessage returns the optional values of the packet of a message.
func extractMessage(x *extractor, m nflogtest.Message) optional {
	p := onePacket(m)
	return x.extract(p, parsed(p))
}

// optionalLabels are all labels with optional values. FuzzExtract compares only the values of these.
var optionalLabels = []label{
	labelMark, labelUID, labelGID, labelVLAN, labelTCPFlags, labelICMPType, labelConntrackState, labelDSCP,
	labelDestinationPort,
}

// optionalValues returns optional values by label name.
func optionalValues(o optional) map[string]string {
	values := make(map[string]string)
	for _, l := range optionalLabels {
		values[labelNames[l]] = o.value(l)
	}
	return values
}

// withValue returns optional values where only the one of a label is set.
func withValue(name, value string) map[string]string {
	values := optionalValues(optional{})
	values[name] = value
	return values
}

// checkExtracted extracts optional values from the packet of a message. Only the one of the label must be set.
func checkExtracted(t *testing.T, x *extractor, m nflogtest.Message, label, want string) {
	t.Helper()
	if diff := cmp.Diff(withValue(label, want), optionalValues(extractMessage(x, m))); diff != "" {
		t.Errorf("unexpected labels (-want +got):\n%s", diff)
	}
}

// TestExtractMessage checks the labels whose values are attributes of the message.
func TestExtractMessage(t *testing.T) {
	message := func(m nflogtest.Message) nflogtest.Message {
		m.Family, m.HWProtocol, m.Hook, m.Payload = 2, 0x0800, 3, nflogtest.Unhex(nflogtest.IPv4UDP)
		return m
	}
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
		{name: "mark outside the mask", label: "mark", mask: 0xff00, message: nflogtest.Message{Mark: 0x10001}, want: "0x0"},

		{name: "no user", label: "uid", want: ""},
		{name: "user", label: "uid", message: nflogtest.Message{UID: 1000, GID: 100}, want: "1000"},
		{name: "root", label: "uid", message: nflogtest.Message{Owner: true}, want: "0"},
		{name: "user without group", label: "uid", message: nflogtest.Message{UID: 1000}, want: "1000"},
		{name: "largest user", label: "uid", message: nflogtest.Message{UID: 4294967295}, want: "4294967295"},
		{name: "no group", label: "gid", want: ""},
		{name: "group", label: "gid", message: nflogtest.Message{UID: 1000, GID: 100}, want: "100"},
		{name: "root's group", label: "gid", message: nflogtest.Message{Owner: true, UID: 1000}, want: "0"},
		{name: "no group of a user", label: "gid", message: nflogtest.Message{UID: 1000}, want: ""},
		{name: "largest group", label: "gid", message: nflogtest.Message{GID: 4294967295}, want: "4294967295"},

		{name: "no connection", label: "conntrack_state", want: ""},
		{name: "established", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 0}, want: "established"},
		{name: "related", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 1}, want: "related"},
		{name: "new", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 2}, want: "new"},
		{name: "established, reply", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 3}, want: "established"},
		{name: "related, reply", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 4}, want: "related"},
		{name: "untracked", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 7}, want: "untracked"},
		{name: "unassigned state", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 5}, want: "5"},
		{name: "state beyond the kernel's three bits", label: "conntrack_state", message: nflogtest.Message{Conntrack: conntrack, CTInfo: 8}, want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newTestExtractor(t, tt.mask, tt.label)
			checkExtracted(t, &x, message(tt.message), tt.label, tt.want)
		})
	}
}

// TestExtractVLAN checks that the label vlan is the id of the tag in the message, or else of the first tag in the packet.
func TestExtractVLAN(t *testing.T) {
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
		{name: "bridge, in the message", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv4UDP, want: "42"},
		{name: "bridge, largest", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 0xffff}, payload: nflogtest.IPv4UDP, want: "4095"},
		{name: "bridge, priority tag", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, VLAN: 0xa000}, payload: nflogtest.IPv4UDP, want: "0"},
		{name: "bridge, LLDP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x88cc, VLAN: 42}, payload: "0207", want: "42"},
		{name: "bridge, in the packet", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100}, payload: "6005 0800" + nflogtest.IPv4UDP, want: "5"},
		{name: "netdev ingress, none", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x86dd, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv6UDP, want: ""},
		{name: "netdev ingress, in the message", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x86dd, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: nflogtest.IPv6UDP, want: "42"},
		{name: "netdev ingress, in the message and in the packet", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100, VLAN: 42}, payload: "6005 0800" + nflogtest.IPv4UDP, want: "42"},
		{name: "netdev ingress, two in the packet", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "2007 8100 0006 0800" + nflogtest.IPv4UDP, want: "7"},
		{name: "netdev ingress, nothing copied", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800, VLAN: 42}, payload: "", want: "42"},
		{name: "netdev ingress, cut in the id", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "00", want: ""},
		{name: "netdev ingress, cut after the id", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005", want: "5"},
		{name: "netdev egress, none", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: nflogtest.Unhex(ipv4Link)}, payload: ipv4Link + nflogtest.IPv4UDP, want: ""},
		{name: "netdev egress, in the message", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, VLAN: 42, L2Header: nflogtest.Unhex(ipv4Link)}, payload: ipv4Link + nflogtest.IPv4UDP, want: "42"},
		{name: "netdev egress, in the link header", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(tag)[:18]}, payload: tag, want: "5"},
		{name: "netdev egress, after the link header", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(tag)[:14]}, payload: tag, want: "5"},
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
			checkExtracted(t, &x, tt.message, "vlan", tt.want)
		})
	}
}

// TestExtractSelected checks that only selected labels have values.
func TestExtractSelected(t *testing.T) {
	messages := []nflogtest.Message{
		{
			Family: 5, Hook: 0, HWProtocol: 0x0800, VLAN: 42, Mark: 0x1f, UID: 1000, GID: 100,
			Conntrack: conntrack, CTInfo: 3,
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
		extract := func(names ...string) optional {
			x := newTestExtractor(t, 0xffffffff, names...)
			if got, want := x.any(), len(names) > 0 && names[0] != "protocol"; got != want {
				t.Errorf("any returns %t for the labels %q", got, names)
			}
			return extractMessage(&x, m)
		}
		if diff := cmp.Diff(all[i], optionalValues(extract(LabelNames()[labelMark:]...))); diff != "" {
			t.Errorf("packet %d: unexpected labels (-want +got):\n%s", i, diff)
		}
		for name, value := range all[i] {
			if diff := cmp.Diff(withValue(name, value), optionalValues(extract(name))); diff != "" {
				t.Errorf("packet %d: unexpected labels with only %s selected (-want +got):\n%s", i, name, diff)
			}
		}
		for _, names := range [][]string{nil, {"protocol", "phys_in_interface", "phys_out_interface"}} {
			if got := extract(names...); got != (optional{}) {
				t.Errorf("packet %d: the labels %q have the optional values %+v", i, names, got)
			}
		}
	}
}

// TestExtractAllocations checks that extracting allocates nothing.
func TestExtractAllocations(t *testing.T) {
	x := newTestExtractor(t, 0xffffffff, LabelNames()...)
	p := onePacket(nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)})
	if n := testing.AllocsPerRun(100, func() { x.extract(p, parsed(p)) }); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
