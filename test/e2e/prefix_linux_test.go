// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationPrefixes logs with unusual prefixes.
func TestIntegrationPrefixes(t *testing.T) {
	tests := []struct {
		name, prefix, want string
	}{
		{name: "none", prefix: "", want: ""},
		{name: "longest", prefix: strings.Repeat("x", 127), want: strings.Repeat("x", 127)},
		{name: "space at the end", prefix: "drop: ", want: "drop:"},
		{name: "the same without", prefix: "drop:", want: "drop:"},
		{name: "space at the beginning", prefix: " drop:", want: " drop:"},
		{name: "another alphabet", prefix: "отказ", want: "отказ"},
		{name: "not UTF-8", prefix: "bad\xff\xfe\xc3end", want: `bad\xff\xfe\xc3end`},
		{name: "looks like that", prefix: `bad\xff\xfe\xc3end`, want: `bad\\xff\\xfe\\xc3end`},
		{name: "syntax of the exposition", prefix: `a"} 1` + "\n# EOF\n\tb", want: `a"} 1\x0a# EOF\x0a\x09b`},
		{name: "sequences of a terminal", prefix: "\x1b[2J\u009b31m\u202egpj", want: `\x1b[2J\xc2\x9b31m\xe2\x80\xaegpj`},
	}
	ns := kerneltest.NS(t)
	sink(t, ns)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	var b book
	for _, tt := range tests {
		b.add(
			output.Log(group, tt.prefix, nftrules.UDPPort(discard)),
			labels{Prefix: tt.want, Family: "ip", Hook: "output", Out: "lo", Protocol: "udp"},
		)
	}
	must(t, rs.Apply())

	e := start(t, ns)
	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	b.check(t, e)
}
