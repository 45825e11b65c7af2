// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// overflow is the value of labels that the exporter no longer distinguishes.
const overflow = "__overflow__"

// TestIntegrationLabelSetLimit logs by 5,000 rules, each with its own prefix: more label sets than the default limit. Before
// the first scrape, the released exporter uses at most 48 MiB. Then no packet is missing, and the first step of the overflow has
// replaced interfaces and protocol alone.
func TestIntegrationLabelSetLimit(t *testing.T) {
	t.Parallel()
	const (
		rules     = 5000
		packets   = 40
		limit     = 2000
		maxMemory = 48 << 20
	)
	ns := kerneltest.NS(t)
	logAll(t, ns, rules)
	e := startBinary(t, ns, built(t, released))

	for range packets / 4 {
		must(t, traffic.UDP(ns, toPort(loopback4), 4, 10))
		e.awaitDrained(t) // the socket of an ordinary user holds no more than this
	}
	for _, field := range []string{"VmRSS", "VmHWM"} {
		memory := e.memory(t, field)
		t.Logf("%s is %.1f MiB", field, float64(memory)/(1<<20))
		if memory > maxMemory {
			t.Errorf("%s is %.1f MiB, want at most %d", field, float64(memory)/(1<<20), maxMemory>>20)
		}
	}

	logged := loggedByPrefix(t, ns)
	if len(logged) != rules {
		t.Fatalf("%d rules have logged, want %d", len(logged), rules)
	}
	s := e.eventually(t, bookTimeout, func(s scrape) error {
		if got := s.packets(); got != rules*packets {
			return fmt.Errorf("%.0f packets are counted, want %d", got, rules*packets)
		}
		return nil
	})
	if err := errors.Join(
		s.expect(limit+limit/10+1, "nflog_label_sets"),
		s.expect(limit, "nflog_label_sets_limit"),
		s.expect(0, "nflog_lost_packets_total"),
		s.expect((rules-limit)*packets, "nflog_overflow_packets_total"),
	); err != nil {
		t.Error(err)
	}

	sets, err := s.labelSets()
	must(t, err)
	all := labels{Group: "100", Prefix: overflow, Family: overflow, Hook: overflow, In: overflow, Out: overflow, Protocol: overflow}
	rest, ok := sets[all]
	if !ok {
		t.Fatalf("no label set is %+v", all)
	}
	delete(sets, all)
	whole := 0
	for l, c := range sets {
		want := labels{Group: "100", Prefix: l.Prefix, Family: "ip", Hook: "output", Out: "lo", Protocol: "udp"}
		if l.In == overflow {
			want.In, want.Out, want.Protocol = overflow, overflow, overflow
		} else {
			whole++
		}
		if diff := cmp.Diff(want, l); diff != "" {
			t.Fatalf("unexpected labels (-want +got):\n%s", diff)
		}
		if c.Packets != logged[l.Prefix] {
			t.Errorf("%+v: %d packets are counted, the rule has logged %d", l, c.Packets, logged[l.Prefix])
		}
		delete(logged, l.Prefix)
	}
	if whole != limit || len(sets) != limit+limit/10 {
		t.Errorf("%d label sets, %d of them with interfaces, want %d and %d", len(sets), whole, limit+limit/10, limit)
	}
	for _, packets := range logged {
		rest.Packets -= packets
	}
	if rest.Packets != 0 {
		t.Errorf("%d more packets are counted in the last label set than the other rules have logged", int64(rest.Packets))
	}
}

// logAll makes rules that all log the packets to port discard. The last rule drops them.
func logAll(t *testing.T, ns *netns.NS, count int) {
	t.Helper()
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	for i := range count {
		parts := []nftrules.Part{nftrules.UDPPort(discard)}
		if i == count-1 {
			parts = append(parts, nftrules.Drop())
		}
		output.Log(group, fmt.Sprintf("fw zone%d drop: ", i), parts...)
		if i%100 == 99 { // all at once exceed the buffer of the socket
			must(t, rs.Apply())
		}
	}
	must(t, rs.Apply())
}

// loggedByPrefix returns how many packets the rules of a namespace have logged, by the value of the label prefix.
func loggedByPrefix(t *testing.T, ns *netns.NS) map[string]uint64 {
	t.Helper()
	logged := make(map[string]uint64)
	must(t, ns.Do(func() error {
		var conn nftables.Conn
		chains, err := conn.ListChains()
		if err != nil {
			return err
		}
		for _, chain := range chains {
			installed, err := conn.GetRules(chain.Table, chain)
			if err != nil {
				return err
			}
			for _, rule := range installed {
				var prefix string
				var packets uint64
				for _, e := range rule.Exprs {
					switch e := e.(type) {
					case *expr.Counter:
						packets = e.Packets
					case *expr.Log:
						prefix = strings.TrimRight(string(e.Data), " \x00")
					}
				}
				logged[prefix] += packets
			}
		}
		return nil
	}))
	return logged
}

// awaitDrained waits until no packet waits in the kernel's batch or in the socket. It does not scrape.
func (e *exporter) awaitDrained(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, bookTimeout, func() error {
		if g := e.kernelGroup(t); g.Batched > 0 || g.Queued > 0 {
			return fmt.Errorf("%d packets wait in the kernel, %d bytes in the socket", g.Batched, g.Queued)
		}
		return nil
	})
}

// memory returns a field in kB of the exporter's /proc/PID/status, in bytes.
func (e *exporter) memory(t *testing.T, field string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	must(t, err)
	_, value, _ := strings.Cut(string(status), "\n"+field+":")
	var n int
	if _, err := fmt.Sscan(value, &n); err != nil {
		t.Fatalf("failed to read %s of the exporter's status: %v", field, err)
	}
	return n << 10
}
