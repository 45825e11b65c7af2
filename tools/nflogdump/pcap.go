// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Values of a pcap file, pcap-savefile(5) and https://www.tcpdump.org/linktypes.html.
const (
	pcapMagic     = 0xa1b2c3d4 // microseconds; tells the byte order
	pcapSnaplen   = 1 << 18
	linkTypeNFLOG = 239
)

// A pcap writes packets to a pcap file as the kernel's messages, in the machine's byte order like these.
type pcap struct {
	w   io.Writer
	buf []byte
}

// newPcap writes the file's header.
func newPcap(w io.Writer) (*pcap, error) {
	order := binary.NativeEndian
	b := order.AppendUint32(nil, pcapMagic)
	b = order.AppendUint16(b, 2) // version 2.4
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, pcapSnaplen)
	b = order.AppendUint32(b, linkTypeNFLOG)
	_, err := w.Write(b)
	return &pcap{w: w}, err
}

func (f *pcap) packet(p nflog.Packet) error {
	order := binary.NativeEndian
	t, msg := timeOf(p), message(p)
	b := order.AppendUint32(f.buf[:0], uint32(t.Unix()))
	b = order.AppendUint32(b, uint32(t.Nanosecond()/1000))
	b = order.AppendUint32(b, uint32(len(msg)))
	b = order.AppendUint32(b, uint32(len(msg)+missing(p)))
	f.buf = append(b, msg...)
	_, err := f.w.Write(f.buf)
	return err
}

// message returns the kernel's message. Where the payload begins at its link layer header, Wireshark and tcpdump would take that
// for the network header, so it is cut off.
func message(p nflog.Packet) []byte {
	o, n, msg, payload := p.Origin(), p.Network(), p.Bytes(), p.Payload()
	switch place := o.Family.String() + " " + o.HookName(); place {
	case "netdev egress", "arp output":
	default:
		return msg
	}
	rest := n.Header
	if o.HWProtocol != n.EtherType { // the kernel's EtherType is that of a VLAN tag, after the Ethernet header
		rest = payload[min(14, len(payload)):]
	}
	at := len(msg) - (len(payload)+3)&^3
	if len(rest) == 0 || &msg[at] != &payload[0] {
		return msg
	}
	cut := bytes.Clone(msg[:at-4])
	cut = binary.NativeEndian.AppendUint16(cut, uint16(4+len(rest)))
	cut = append(cut, msg[at-2:at]...) // the attribute's type
	cut = append(cut, rest...)
	return append(cut, make([]byte, -len(rest)&3)...)
}

// missing returns how many bytes of a packet were not copied, as far as its network header says.
func missing(p nflog.Packet) int {
	n := p.Network()
	return max(0, int(n.Length)-len(n.Header))
}

// timeOf returns when a packet was logged, or now if the kernel does not say.
func timeOf(p nflog.Packet) time.Time {
	if t, ok := p.Timestamp(); ok {
		return t
	}
	return time.Now()
}
