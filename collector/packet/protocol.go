// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A Protocol is an IP protocol number, 0 to 255, or an EtherType marked with protocolEtherType.
type Protocol uint32

const (
	// protocolEtherType marks a number as an EtherType.
	protocolEtherType Protocol = 1 << 16

	// protocolUnknown is the protocol of a packet of which too little was copied, or whose network header is malformed.
	protocolUnknown Protocol = 1 << 17

	// ProtocolOther stands for each protocol that a [ProtocolSet] does not have.
	ProtocolOther Protocol = 1 << 18

	// protocolARP is the protocol of ARP packets.
	protocolARP = protocolEtherType | nflog.EtherTypeARP
)

// Protocols with headers that are parsed.
const (
	protocolICMP    Protocol = 1
	protocolTCP     Protocol = 6
	protocolUDP     Protocol = 17
	protocolDCCP    Protocol = 33
	protocolICMPv6  Protocol = 58
	protocolSCTP    Protocol = 132
	protocolUDPLite Protocol = 136
)

// String returns the value of the label.
func (p Protocol) String() string {
	switch {
	case p == protocolUnknown:
		return "unknown"
	case p == ProtocolOther:
		return "other"
	case p == protocolARP:
		return "arp"
	case p&protocolEtherType != 0:
		return fmt.Sprintf("0x%04x", uint32(p&^protocolEtherType))
	case int(p) < len(protocolNames) && protocolNames[p] != "":
		return protocolNames[p]
	default:
		return strconv.FormatUint(uint64(p), 10)
	}
}

// ParseProtocol returns the protocol of a packet whose value of the label is this one. No packet's own protocol is unknown
// or other.
func ParseProtocol(value string) (p Protocol, ok bool) {
	switch digits, isEtherType := strings.CutPrefix(value, "0x"); {
	case value == protocolARP.String():
		return protocolARP, true
	case isEtherType:
		n, err := strconv.ParseUint(digits, 16, 16)
		p = protocolEtherType | Protocol(n)
		return p, err == nil && p.String() == value
	}
	for p = range 256 {
		if p.String() == value {
			return p, true
		}
	}
	return 0, false
}

// protocolNames holds the keywords of IANA's registry of protocol numbers in lower case, with a hyphen for a
// space, and icmpv6 as firewalls write it. 59 has no name: it says that no protocol follows.
var protocolNames = [...]string{
	0:   "hopopt",
	1:   "icmp",
	2:   "igmp",
	3:   "ggp",
	4:   "ipv4",
	5:   "st",
	6:   "tcp",
	7:   "cbt",
	8:   "egp",
	9:   "igp",
	10:  "bbn-rcc-mon",
	11:  "nvp-ii",
	12:  "pup",
	13:  "argus",
	14:  "emcon",
	15:  "xnet",
	16:  "chaos",
	17:  "udp",
	18:  "mux",
	19:  "dcn-meas",
	20:  "hmp",
	21:  "prm",
	22:  "xns-idp",
	23:  "trunk-1",
	24:  "trunk-2",
	25:  "leaf-1",
	26:  "leaf-2",
	27:  "rdp",
	28:  "irtp",
	29:  "iso-tp4",
	30:  "netblt",
	31:  "mfe-nsp",
	32:  "merit-inp",
	33:  "dccp",
	34:  "3pc",
	35:  "idpr",
	36:  "xtp",
	37:  "ddp",
	38:  "idpr-cmtp",
	39:  "tp++",
	40:  "il",
	41:  "ipv6",
	42:  "sdrp",
	43:  "ipv6-route",
	44:  "ipv6-frag",
	45:  "idrp",
	46:  "rsvp",
	47:  "gre",
	48:  "dsr",
	49:  "bna",
	50:  "esp",
	51:  "ah",
	52:  "i-nlsp",
	53:  "swipe",
	54:  "narp",
	55:  "min-ipv4",
	56:  "tlsp",
	57:  "skip",
	58:  "icmpv6",
	60:  "ipv6-opts",
	62:  "cftp",
	64:  "sat-expak",
	65:  "kryptolan",
	66:  "rvd",
	67:  "ippc",
	69:  "sat-mon",
	70:  "visa",
	71:  "ipcv",
	72:  "cpnx",
	73:  "cphb",
	74:  "wsn",
	75:  "pvp",
	76:  "br-sat-mon",
	77:  "sun-nd",
	78:  "wb-mon",
	79:  "wb-expak",
	80:  "iso-ip",
	81:  "vmtp",
	82:  "secure-vmtp",
	83:  "vines",
	84:  "iptm",
	85:  "nsfnet-igp",
	86:  "dgp",
	87:  "tcf",
	88:  "eigrp",
	89:  "ospfigp",
	90:  "sprite-rpc",
	91:  "larp",
	92:  "mtp",
	93:  "ax.25",
	94:  "ipip",
	95:  "micp",
	96:  "scc-sp",
	97:  "etherip",
	98:  "encap",
	100: "gmtp",
	101: "ifmp",
	102: "pnni",
	103: "pim",
	104: "aris",
	105: "scps",
	106: "qnx",
	107: "a/n",
	108: "ipcomp",
	109: "snp",
	110: "compaq-peer",
	111: "ipx-in-ip",
	112: "vrrp",
	113: "pgm",
	115: "l2tp",
	116: "ddx",
	117: "iatp",
	118: "stp",
	119: "srp",
	120: "uti",
	121: "smp",
	122: "sm",
	123: "ptp",
	124: "isis-over-ipv4",
	125: "fire",
	126: "crtp",
	127: "crudp",
	128: "sscopmce",
	129: "iplt",
	130: "sps",
	131: "pipe",
	132: "sctp",
	133: "fc",
	134: "rsvp-e2e-ignore",
	135: "mobility-header",
	136: "udplite",
	137: "mpls-in-ip",
	138: "manet",
	139: "hip",
	140: "shim6",
	141: "wesp",
	142: "rohc",
	143: "ethernet",
	144: "aggfrag",
	145: "nsh",
	146: "homa",
	147: "bit-emu",
}
