// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A host is a namespace with rules. Each logs the UDP packets to its own port.
type host struct {
	ns   *netns.NS
	logs []*logRule
}

// A logRule is a rule that logs.
type logRule struct {
	*nftrules.Rule
	prefix string
	label  string // value of the label prefix
	hook   nftrules.Hook
}

// newHost returns a host with the rules first and sizes, and rules with prefixes that
// are difficult to parse.
func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{
		ns: kerneltest.NS(t),
		logs: []*logRule{
			first: {prefix: "first", label: "first", hook: nftrules.Output},
			sizes: {prefix: "sizes", label: "sizes", hook: nftrules.Output},
			{prefix: "", label: "", hook: nftrules.Output},
			{prefix: "input: ", label: "input:", hook: nftrules.Input},
			{prefix: "naïve 火壁", label: "naïve 火壁", hook: nftrules.Output},
			{prefix: "\xff\\\"\n{", label: `\xff\\"\x0a{`, hook: nftrules.Output},
		},
	}
	rs := nftrules.New(h.ns)
	chains := map[nftrules.Hook]*nftrules.ChainRules{
		nftrules.Output: rs.Chain(nftrules.Chain{Hook: nftrules.Output}),
		nftrules.Input:  rs.Chain(nftrules.Chain{Hook: nftrules.Input}),
	}
	for i, log := range h.logs {
		parts := []nftrules.Part{nftrules.UDPPort(port(i))}
		if log.hook == nftrules.Input {
			parts = append(parts, nftrules.Drop()) // so that the kernel sends no ICMP error
		}
		log.Rule = chains[log.hook].Log(group, log.prefix, parts...)
	}
	// Drop the packets after they are logged.
	for i, log := range h.logs {
		if log.hook == nftrules.Output {
			chains[nftrules.Output].Rule(nftrules.UDPPort(port(i)), nftrules.Drop())
		}
	}
	must(t, rs.Apply())
	return h
}

// The rules that all hosts have.
const (
	first = iota // for tests about the first packet
	sizes        // for packets of many sizes
)

// port returns the port of the packets that a rule logs.
func port(rule int) uint16 { return uint16(1000 + rule) }

// send sends a packet of each size to the port of a rule.
func (h *host) send(t *testing.T, rule int, sizes ...int) {
	t.Helper()
	const headersLen = 28 // of IPv4 and UDP
	for _, size := range sizes {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port(rule))
		must(t, traffic.UDP(h.ns, to, 1, size-headersLen))
	}
}

// counts returns the counters of the rules by the value of the label prefix.
func (h *host) counts(t *testing.T) (packets, bytes map[string]float64) {
	t.Helper()
	packets, bytes = make(map[string]float64), make(map[string]float64)
	for _, log := range h.logs {
		p, b, err := log.Count()
		must(t, err)
		packets[log.label], bytes[log.label] = float64(p), float64(b)
	}
	return packets, bytes
}
