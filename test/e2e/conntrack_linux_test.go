// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Ports of a router that tracks connections. Nothing listens at the first two.
const (
	closedPort    = 10
	untrackedPort = 11
	redirectPort  = 12 // to port discard of the router
	tcpPort       = 13
)

// TestIntegrationConntrack logs packets of each state of connection tracking at each hook of a router that does NAT. It
// compares the label conntrack_state with the state that the rule has matched.
func TestIntegrationConntrack(t *testing.T) {
	requireConntrack(t)
	left, router, right := kerneltest.NS(t), kerneltest.NS(t), kerneltest.NS(t)
	must(t,
		router.Forward(),
		netns.Veth(left, "eth0", ends(left4), router, "eth0", ends(routerL4)),
		netns.Veth(right, "eth0", ends(right4), router, "eth1", ends(routerR4)),
		left.AddDefaultRoute(routerL4),
		right.AddDefaultRoute(routerR4),
	)
	rules := logStates(t, router)
	e := start(t, router, "--collector.labels=prefix,conntrack_state", "--nflog.queue-timeout=10ms")

	sink(t, router)
	sink(t, right)
	port := netip.AddrPortFrom
	must(t,
		// By NAT, to another host and to the router.
		traffic.TCP(left, right, port(right4, tcpPort), 2, 10),
		traffic.UDP(left, port(routerL4, redirectPort), 3, 10),
		// Connections of the router, from it and to it.
		traffic.TCP(left, router, port(routerL4, tcpPort), 1, 10),
		traffic.TCP(router, right, port(right4, tcpPort), 1, 10),
		// Errors that answer packets to closed ports.
		traffic.UDP(left, port(right4, closedPort), 1, 10),
		traffic.UDP(left, port(routerL4, closedPort), 1, 10),
		traffic.UDP(router, port(left4, closedPort), 1, 10),
		// The error that answers this forwarded packet belongs to no connection.
		traffic.UDP(left, port(right4, untrackedPort), 1, 10),
		traffic.UDP(left, port(routerL4, untrackedPort), 1, 10),
	)

	var counted map[string]uint64
	kerneltest.Eventually(t, bookTimeout, func() error {
		s, err := e.scrape(t.Context())
		if err != nil {
			return err
		}
		if counted, err = rules.read(); err != nil {
			return err
		}
		if diff := cmp.Diff(counted, s.sumBy("nflog_packets_total", "prefix", "conntrack_state")); diff != "" {
			return fmt.Errorf("unexpected packets by state (-rules +exporter):\n%s", diff)
		}
		if want := float64(len(rules)); float64(len(counted)) != want {
			return fmt.Errorf("packets of %d hooks and states were logged, want all %v: %v", len(counted), want, counted)
		}
		return s.expect(0, "nflog_lost_packets_total")
	})
}

// requireConntrack skips the test if the kernel sends no connections.
func requireConntrack(t *testing.T) {
	t.Helper()
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: kerneltest.NS(t).FD(), Conntrack: nflog.ConntrackRequired})
	if errors.Is(err, nflog.ErrNoConntrack) {
		kerneltest.SkipKernel(t, "connection tracking in NFLOG")
	}
	must(t, err)
	must(t, r.Close())
}

// logStates logs by state, at each hook of a router. It returns the rules by prefix and label.
func logStates(t *testing.T, router *netns.NS) (rules interfaceCounters) {
	t.Helper()
	rs := nftrules.New(router)
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Prerouting, Priority: -300}).
		Rule(nftrules.UDPPort(untrackedPort), nftrules.Notrack())
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Prerouting, Priority: -100, NAT: true}).
		Rule(nftrules.UDPPort(redirectPort), nftrules.Redirect(discard))
	rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Postrouting, Priority: 100, NAT: true}).
		Rule(nftrules.OutInterface("eth1"), nftrules.Masquerade())
	const all = nftrules.CTNew | nftrules.CTEstablished | nftrules.CTRelated | nftrules.CTUntracked | nftrules.CTInvalid
	for _, hook := range []struct {
		name   string
		hook   nftrules.Hook
		states nftrules.CTState
	}{
		{"prerouting", nftrules.Prerouting, all},
		{"input", nftrules.Input, all &^ nftrules.CTInvalid},
		{"forward", nftrules.Forward, all},
		// The router's errors are tracked: one that answers an untracked packet is invalid.
		{"output", nftrules.Output, all &^ nftrules.CTUntracked},
		{"postrouting", nftrules.Postrouting, all},
	} {
		chain := rs.Chain(nftrules.Chain{Family: nftrules.IPv4, Hook: hook.hook})
		chain.Rule(nftrules.InInterface("lo"), nftrules.Accept())
		chain.Rule(nftrules.OutInterface("lo"), nftrules.Accept())
		for _, state := range []struct {
			name, label string
			state       nftrules.CTState
		}{
			{"new", "new", nftrules.CTNew},
			{"established", "established", nftrules.CTEstablished},
			{"related", "related", nftrules.CTRelated},
			{"untracked", "", nftrules.CTUntracked},
			{"invalid", "", nftrules.CTInvalid},
		} {
			if hook.states&state.state != 0 {
				prefix := hook.name + " " + state.name
				rules = append(rules, placeCounter{prefix + "/" + state.label, chain.Log(group, prefix, nftrules.Conntrack(state.state))})
			}
		}
	}
	must(t, rs.Apply())
	return rules
}
