// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"net/netip"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// packetLen is the length of the packets that [loopback.send] sends.
const packetLen = 128

// A loopback is a differential in its own namespace, which logs and drops packets at
// the output hook. When send returns, they are logged, in order.
type loopback struct {
	*differential
	output *nftrules.ChainRules
}

// newLoopback returns a loopback without rules.
func newLoopback(t testing.TB, config nflog.Config) *loopback {
	t.Helper()
	d := newDifferential(t, kerneltest.NS(t), config)
	return &loopback{differential: d, output: d.rules.Chain(nftrules.Chain{Hook: nftrules.Output, Drop: true})}
}

// send sends packets that all differ.
func (l *loopback) send(t testing.TB, packets int) {
	t.Helper()
	const headersLen = 28 // of IPv4 and ICMP
	must(t, traffic.Echo(l.ns, netip.AddrFrom4([4]byte{127, 0, 0, 1}), packets, packetLen-headersLen))
}
