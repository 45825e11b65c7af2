// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net"
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// sendRouted sends packets of all protocols between left, right and router.
func (n network) sendRouted(t *testing.T) {
	t.Helper()
	for _, path := range []struct {
		from     *netns.NS
		src, dst netip.Addr
	}{
		{n.left, left4, routerL4},
		{n.left, left4, right4},
		{n.right, right4, left4},
		{n.router, routerL4, left4},
		{n.router, loopback4, loopback4},
	} {
		send(t, path.from, path.dst)
		datagram := traffic.UDPDatagram(toPort(path.src), toPort(path.dst), make([]byte, 32))
		packet := traffic.IPv4{Src: path.src, Dst: path.dst, Protocol: traffic.ProtocolUDP, Payload: datagram}
		must(t, traffic.SendIP(path.from, append(fragments4(packet, 16), options4(packet))...))
	}
	for _, path := range []struct {
		from     *netns.NS
		src, dst netip.Addr
	}{
		{n.left, left6, routerL6},
		{n.left, left6, right6},
		{n.right, right6, left6},
		{n.router, routerL6, left6},
		{n.router, loopback6, loopback6},
	} {
		send(t, path.from, path.dst)
		datagram := traffic.UDPDatagram(toPort(path.src), toPort(path.dst), make([]byte, 32))
		packet := traffic.IPv6{Src: path.src, Dst: path.dst, Protocol: traffic.ProtocolUDP, Payload: datagram}
		must(t, traffic.SendIP(path.from, append(fragments6(packet, 16), extensions6(packet)...)...))
	}
	for _, dst := range []netip.Addr{routerL4, routerL6} {
		must(t, traffic.TCP(n.left, n.router, toPort(dst), 2, 200_000))
	}
	for _, dst := range []netip.Addr{right4, right6} {
		must(t, traffic.TCP(n.left, n.right, toPort(dst), 2, 200_000))
	}

	tagged, lldp := vlanFrame(t, n.left, "eth0", n.router, "eth0"), lldpFrame(t, n.left, "eth0")
	must(t, traffic.SendFrames(n.left, "eth0", tagged.twice, lldp))
	tagged, lldp = vlanFrame(t, n.router, "eth0", n.left, "eth0"), lldpFrame(t, n.router, "eth0")
	must(t, traffic.SendFrames(n.router, "eth0", tagged.once, lldp))
}

// send sends UDP datagrams, an aggregate of them, and ICMP echo requests.
func send(t *testing.T, from *netns.NS, dst netip.Addr) {
	t.Helper()
	must(t,
		traffic.UDP(from, toPort(dst), 5, 100),
		traffic.UDP(from, toPort(dst), 1, 4000), // longer than the MTU of the path
		traffic.UDPSegments(from, toPort(dst), 20, 1200),
		traffic.Echo(from, dst, 3, 56),
	)
}

// fragments4 returns a packet in two fragments. The first carries that many bytes.
func fragments4(p traffic.IPv4, first int) [][]byte {
	p.ID = 1
	head, tail := p, p
	head.MoreFragments, head.Payload = true, p.Payload[:first]
	tail.FragmentOffset, tail.Payload = first, p.Payload[first:]
	return [][]byte{head.Bytes(), tail.Bytes()}
}

// options4 returns a packet with options in its header.
func options4(p traffic.IPv4) []byte {
	p.Options = []byte{1, 1, 1, 0} // three NOPs and the end of the list
	return p.Bytes()
}

// fragments6 returns a packet in two fragments, of which the first carries that
// many bytes, and an atomic fragment (RFC 6946): a whole packet with a fragment
// header.
func fragments6(p traffic.IPv6, first int) [][]byte {
	head, tail, atomic := p, p, p
	head.Extensions, head.Payload = []traffic.Extension{traffic.Fragment(0, true, 1)}, p.Payload[:first]
	tail.Extensions, tail.Payload = []traffic.Extension{traffic.Fragment(first, false, 1)}, p.Payload[first:]
	atomic.Extensions = []traffic.Extension{traffic.Fragment(0, false, 2)}
	return [][]byte{head.Bytes(), tail.Bytes(), atomic.Bytes()}
}

// extensions6 returns packets with extension headers. The last has no payload.
func extensions6(p traffic.IPv6) [][]byte {
	all, authenticated, empty := p, p, p
	all.Extensions = []traffic.Extension{traffic.HopByHop(), traffic.DestinationOptions(), traffic.Routing()}
	authenticated.Extensions = []traffic.Extension{traffic.Authentication()}
	empty.Extensions, empty.Protocol, empty.Payload = []traffic.Extension{traffic.DestinationOptions()}, traffic.ProtocolNoNext, nil
	return [][]byte{all.Bytes(), authenticated.Bytes(), empty.Bytes()}
}

// sendBridged sends frames across the bridge, and to and from it.
func (n network) sendBridged(t *testing.T) {
	t.Helper()
	must(t,
		traffic.UDP(n.upper, toPort(lower4), 5, 100),
		traffic.UDP(n.upper, toPort(bridge4), 5, 100),
		traffic.UDP(n.router, toPort(upper4), 5, 100),
	)

	src, dst := mac(t, n.upper, "eth0"), mac(t, n.lower, "eth0")
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	padded := append(datagram(paddedPort), make([]byte, 18)...) // 46 bytes, the minimum of Ethernet
	tagged := vlanFrame(t, n.upper, "eth0", n.lower, "eth0")
	must(t, traffic.SendFrames(
		n.upper, "eth0",
		traffic.Ethernet(dst, src, traffic.EtherTypeIPv4, padded),
		tagged.once, tagged.twice,
		traffic.Ethernet(dst, src, experimental, make([]byte, 46)),
		// Once to all hosts at the bridge, and once to the bridge itself.
		traffic.Ethernet(broadcast, src, traffic.EtherTypeARP, traffic.ARPRequest(src, upper4, bridge4)),
		traffic.Ethernet(mac(t, n.router, "br0"), src, traffic.EtherTypeARP, traffic.ARPRequest(src, upper4, bridge4)),
	))
}

// datagram returns a UDP packet from upper to lower without payload.
func datagram(port uint16) []byte {
	return traffic.IPv4{
		Src:      upper4,
		Dst:      lower4,
		Protocol: traffic.ProtocolUDP,
		Payload:  traffic.UDPDatagram(toPort(upper4), netip.AddrPortFrom(lower4, port), nil),
	}.Bytes()
}

// taggedFrames are frames with a UDP packet and one or two VLAN tags.
type taggedFrames struct{ once, twice []byte }

// vlanFrame returns tagged frames from one link to another.
func vlanFrame(t *testing.T, from *netns.NS, fromLink string, to *netns.NS, toLink string) taggedFrames {
	t.Helper()
	src, dst := mac(t, from, fromLink), mac(t, to, toLink)
	once := traffic.VLAN(5<<13|42, traffic.EtherTypeIPv4, datagram(taggedPort))
	return taggedFrames{
		once:  traffic.Ethernet(dst, src, traffic.EtherTypeVLAN, once),
		twice: traffic.Ethernet(dst, src, traffic.EtherTypeQinQ, traffic.VLAN(7, traffic.EtherTypeVLAN, once)),
	}
}

// lldpFrame returns an LLDP frame from a link.
func lldpFrame(t *testing.T, ns *netns.NS, name string) []byte {
	t.Helper()
	src := mac(t, ns, name)
	nearest := net.HardwareAddr{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}
	return traffic.Ethernet(nearest, src, traffic.EtherTypeLLDP, traffic.LLDP(src, name))
}
