// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A printer prints a line for each packet.
type printer struct {
	w     io.Writer
	names map[uint32]string // of interfaces
}

func newPrinter(w io.Writer) *printer { return &printer{w: w, names: make(map[uint32]string)} }

func (pr *printer) packet(p nflog.Packet) error {
	o := p.Origin()
	line := fmt.Appendf(nil, "%s %v %s %q", timeOf(p).Format("15:04:05.000000"), o.Family, o.HookName(), o.Prefix)
	for _, device := range []struct {
		name  string
		index uint32
	}{{"in", o.InDev}, {"physin", o.PhysInDev}, {"out", o.OutDev}, {"physout", o.PhysOutDev}} {
		if device.index != 0 {
			line = fmt.Appendf(line, " %s %s", device.name, pr.interfaceName(device.index))
		}
	}
	n := p.Network()
	if n.Tagged {
		line = fmt.Appendf(line, " vlan %d", n.VLAN)
	}
	line = append(append(line, ' '), describe(n)...)
	if n.Length > 0 {
		line = fmt.Appendf(line, " length %d", n.Length)
	}
	if mark, ok := p.Mark(); ok {
		line = fmt.Appendf(line, " mark %#x", mark)
	}
	if uid, ok := p.UID(); ok {
		line = fmt.Appendf(line, " uid %d", uid)
	}
	_, err := pr.w.Write(append(line, '\n'))
	return err
}

// interfaceName returns the name of an interface, or its index if it has none any more.
func (pr *printer) interfaceName(index uint32) string {
	name, ok := pr.names[index]
	if !ok {
		name = "if" + strconv.FormatUint(uint64(index), 10)
		if device, err := net.InterfaceByIndex(int(index)); err == nil {
			name = device.Name
		}
		pr.names[index] = name
	}
	return name
}

// describe returns a packet's protocol, addresses and ports.
func describe(n nflog.Network) string {
	b := n.Header
	switch {
	case n.Malformed:
		return "malformed"
	case n.EtherType == nflog.EtherTypeIPv4 && len(b) >= 20:
		var ports []byte
		if binary.BigEndian.Uint16(b[6:])&0x1fff == 0 { // else a later fragment
			ports = b[min(int(b[0]&0xf)*4, len(b)):]
		}
		return describeIP(b[9], netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), ports)
	case n.EtherType == nflog.EtherTypeIPv6 && len(b) >= 40:
		return describeIP(b[6], netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:])), b[40:])
	case n.EtherType == nflog.EtherTypeARP && len(b) >= 28:
		return fmt.Sprintf("arp %v > %v", netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:])))
	default:
		return fmt.Sprintf("ethertype %#04x", n.EtherType)
	}
}

// describeIP describes an IP packet. The transport header may be cut.
func describeIP(protocol byte, source, destination netip.Addr, transport []byte) string {
	names := map[byte]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
	name, ok := names[protocol]
	if !ok {
		name = fmt.Sprintf("protocol %d", protocol)
	}
	if hasPorts := protocol == 6 || protocol == 17 || protocol == 132; hasPorts && len(transport) >= 4 {
		return fmt.Sprintf("%s %v > %v", name,
			netip.AddrPortFrom(source, binary.BigEndian.Uint16(transport)), netip.AddrPortFrom(destination, binary.BigEndian.Uint16(transport[2:])))
	}
	return fmt.Sprintf("%s %v > %v", name, source, destination)
}
