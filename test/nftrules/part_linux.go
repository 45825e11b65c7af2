// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nftrules

import (
	"encoding/binary"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// register is the only register that these rules need.
const register = 1

// A Part is a match, a mark, a log setting or a verdict of a rule.
type Part func(*spec)

// A spec is a rule without its counter, in the order in which the kernel evaluates
// it.
type spec struct {
	family  Family
	matches []expr.Any
	marks   []expr.Any
	log     *expr.Log
	verdict []expr.Any
}

// L4Proto matches packets of a transport protocol, such as unix.IPPROTO_TCP. In
// IPv6 it is the protocol after the extension headers.
func L4Proto(protocol uint8) Part {
	return func(s *spec) { s.matchMeta(expr.MetaKeyL4PROTO, []byte{protocol}) }
}

// UDPPort matches UDP packets to a port.
func UDPPort(port uint16) Part {
	return destinationPort(unix.IPPROTO_UDP, port)
}

// TCPPort matches TCP packets to a port.
func TCPPort(port uint16) Part {
	return destinationPort(unix.IPPROTO_TCP, port)
}

// ICMP matches ICMP packets (of IPv4).
func ICMP() Part {
	return L4Proto(unix.IPPROTO_ICMP)
}

// ICMPv6 matches ICMPv6 packets, neighbour discovery and MLD among them.
func ICMPv6() Part {
	return L4Proto(unix.IPPROTO_ICMPV6)
}

// InInterface matches packets by the name of their input interface.
func InInterface(name string) Part {
	return func(s *spec) { s.matchMeta(expr.MetaKeyIIFNAME, interfaceName(name)) }
}

// OutInterface matches packets by the name of their output interface.
func OutInterface(name string) Part {
	return func(s *spec) { s.matchMeta(expr.MetaKeyOIFNAME, interfaceName(name)) }
}

// A CTState is a state of connection tracking. States can be combined by |.
type CTState uint32

// The states of connection tracking.
const (
	CTInvalid     = CTState(expr.CtStateBitINVALID)
	CTEstablished = CTState(expr.CtStateBitESTABLISHED)
	CTRelated     = CTState(expr.CtStateBitRELATED)
	CTNew         = CTState(expr.CtStateBitNEW)
	CTUntracked   = CTState(expr.CtStateBitUNTRACKED)
)

// Conntrack matches packets in one of the states. Such a rule makes the kernel track
// the connections of the namespace.
func Conntrack(states CTState) Part {
	return func(s *spec) {
		s.matches = append(
			s.matches,
			&expr.Ct{Key: expr.CtKeySTATE, Register: register},
			&expr.Bitwise{
				SourceRegister: register, DestRegister: register, Len: 4,
				Mask: binaryutil.NativeEndian.PutUint32(uint32(states)), Xor: make([]byte, 4),
			},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: make([]byte, 4)},
		)
	}
}

// EtherType matches packets by the EtherType that the kernel has at the hook. Where
// the kernel has removed a VLAN tag, that is the EtherType behind the tag.
func EtherType(ethertype uint16) Part {
	return func(s *spec) {
		s.matchMeta(expr.MetaKeyPROTOCOL, binary.BigEndian.AppendUint16(nil, ethertype))
	}
}

// Limit matches the first burst packets, and then perMinute packets a minute.
func Limit(perMinute uint64, burst uint32) Part {
	return func(s *spec) {
		s.matches = append(s.matches, &expr.Limit{
			Type:  expr.LimitTypePkts,
			Rate:  perMinute,
			Unit:  expr.LimitTimeMinute,
			Burst: burst,
		})
	}
}

// SetMark sets the mark of packets.
func SetMark(mark uint32) Part {
	return func(s *spec) {
		s.marks = append(
			s.marks,
			&expr.Immediate{Register: register, Data: binaryutil.NativeEndian.PutUint32(mark)},
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register},
		)
	}
}

// logTo logs packets to an NFLOG group, with a prefix unless that is empty.
func logTo(group uint16, prefix string) Part {
	return func(s *spec) {
		log := s.nflog()
		log.Group = group
		if prefix != "" {
			log.Key |= 1 << unix.NFTA_LOG_PREFIX
			log.Data = []byte(prefix)
		}
	}
}

// Snaplen sets how many bytes of a packet the log copies at most (snaplen).
func Snaplen(n uint32) Part {
	return func(s *spec) {
		log := s.nflog()
		log.Key |= 1 << unix.NFTA_LOG_SNAPLEN
		log.Snaplen = n
	}
}

// QueueThreshold sets how many packets of this rule the kernel collects in a batch
// at most (queue-threshold).
func QueueThreshold(n uint16) Part {
	return func(s *spec) {
		log := s.nflog()
		log.Key |= 1 << unix.NFTA_LOG_QTHRESHOLD
		log.QThreshold = n
	}
}

// Accept accepts packets.
func Accept() Part {
	return func(s *spec) { s.verdict = []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }
}

// Drop drops packets.
func Drop() Part {
	return func(s *spec) { s.verdict = []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}} }
}

// Reject drops packets and answers each with a "port unreachable" message of ICMP or
// ICMPv6. The families ARP and Netdev have no such verdict.
func Reject() Part {
	return func(s *spec) {
		reject := &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}
		switch s.family {
		case IPv4:
			*reject = expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 3} // ICMP_PORT_UNREACH
		case IPv6:
			*reject = expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 4} // ICMPV6_PORT_UNREACH
		}
		s.verdict = []expr.Any{reject}
	}
}

// Redirect sends packets to a port of the host itself, in a chain for NAT at the hook
// Prerouting or Output.
func Redirect(port uint16) Part {
	return func(s *spec) {
		s.verdict = []expr.Any{
			&expr.Immediate{Register: register, Data: binary.BigEndian.AppendUint16(nil, port)},
			&expr.Redir{RegisterProtoMin: register},
		}
	}
}

// Masquerade gives packets the address of the interface that they leave by, in a
// chain for NAT at the hook Postrouting.
func Masquerade() Part {
	return func(s *spec) { s.verdict = []expr.Any{&expr.Masq{}} }
}

// Notrack keeps packets from connection tracking, at the hooks Prerouting and Output
// with a priority below -200.
func Notrack() Part {
	return func(s *spec) { s.verdict = []expr.Any{&expr.Notrack{}} }
}

// nflog returns the rule's log expression, to NFLOG.
func (s *spec) nflog() *expr.Log {
	if s.log == nil {
		// If the attribute for the group is present, even with 0, the kernel logs to
		// NFLOG, else to its own log.
		s.log = &expr.Log{Key: 1 << unix.NFTA_LOG_GROUP}
	}
	return s.log
}

// matchMeta matches packets with this value of a meta key.
func (s *spec) matchMeta(key expr.MetaKey, value []byte) {
	s.matches = append(
		s.matches,
		&expr.Meta{Key: key, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: value},
	)
}

// destinationPort matches packets of a transport protocol by destination port.
func destinationPort(protocol uint8, port uint16) Part {
	return func(s *spec) {
		L4Proto(protocol)(s)
		s.matches = append(
			s.matches,
			&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: binary.BigEndian.AppendUint16(nil, port)},
		)
	}
}

// interfaceName returns name padded with zeros to IFNAMSIZ bytes, as the kernel
// compares it.
func interfaceName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}
