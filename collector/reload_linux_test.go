// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// logGroups makes rules that log and drop UDP packets: those to port 1 to group 1, and so on.
func logGroups(t *testing.T, ns *netns.NS, groups ...uint16) map[uint16]*nftrules.Rule {
	t.Helper()
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	rules := make(map[uint16]*nftrules.Rule)
	for _, group := range groups {
		rules[group] = output.Log(group, "udp", nftrules.UDPPort(group), nftrules.Drop())
	}
	apply(t, rs)
	return rules
}

// sendToGroup sends packets that the rule of logGroups logs to a group.
func sendToGroup(t *testing.T, ns *netns.NS, group uint16, packets int) {
	t.Helper()
	send(t, ns, fmt.Sprintf("127.0.0.1:%d", group), packets)
}

// TestIntegrationReload adds, removes and changes groups while their packets wait in the kernel for up to an hour. All
// packets are counted but those of the removed group.
func TestIntegrationReload(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	group := func(number uint16, copyRange uint32) GroupConfig {
		return GroupConfig{Group: number, NetNS: ns.Path(), QueueTimeout: time.Hour, CopyRange: copyRange}
	}
	logRules := logGroups(t, ns, 1, 2, 3, 4)
	r := start(t, Config{Groups: []GroupConfig{group(1, 64), group(2, 64), group(3, 64)}, Labels: []string{"prefix"}})
	r.waitBound(1, 2, 3)
	for number := range uint16(3) {
		sendToGroup(t, ns, number+1, 10)
	}

	// Group 1 stays, 2 is removed, 3 changes, 4 is new.
	rule := prefix.Rule{Match: "(?P<protocol_name>udp)"}
	mustReload(t, r.c, []GroupConfig{group(1, 64), group(3, 96), group(4, 64)}, rule)
	r.wait(map[string]float64{
		`nflog_up{group="1"}`: 1, `nflog_binds_total{group="1"}`: 1,
		`nflog_up{group="3"}`: 1, `nflog_binds_total{group="3"}`: 1,
		`nflog_up{group="4"}`: 1, `nflog_binds_total{group="4"}`: 1,
	})
	for _, m := range gather(t, r.c)["nflog_packets_total"] {
		t.Fatalf("the kernel has delivered packets already: %v", m)
	}
	for _, m := range gather(t, r.c)["nflog_up"] {
		if m.GetLabel()[0].GetValue() == "2" {
			t.Error("group 2 is still there")
		}
	}
	kerneltest.Eventually(t, patience, func() error { return checkFree(ns, 2) })
	for number, message := range map[int]string{2: "removed from the configuration", 3: "Group reconfigured"} {
		kerneltest.Eventually(t, patience, func() error {
			if lines := r.logs.with("level=info", fmt.Sprintf("group=%d ", number), message); len(lines) != 1 {
				return fmt.Errorf("%q is not once in the log of group %d: %q", message, number, r.logs.with("level=info"))
			}
			return nil
		})
	}

	for _, number := range []uint16{1, 3, 4} {
		sendToGroup(t, ns, number, 5)
	}
	r.stop()
	want := make(map[string]float64)
	for _, number := range []uint16{1, 3, 4} {
		packets, _ := ruleCount(t, logRules[number])
		want[fmt.Sprintf(`nflog_packets_total{group="%d",prefix="udp",protocol_name="udp"}`, number)] = float64(packets)
		want[fmt.Sprintf(`nflog_lost_packets_total{group="%d"}`, number)] = 0
	}
	r.wait(want)
}

// TestIntegrationReloadSame changes only prefix rules: the group stays bound.
func TestIntegrationReloadSame(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	rule := logGroups(t, ns, 100)[100]
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, ns.Path())}, Labels: []string{"protocol"}})
	r.waitBound(100)
	bound := samples(t, r.c)[`nflog_bound_timestamp_seconds{group="100"}`]
	for i := range 20 {
		sendToGroup(t, ns, 100, 10)
		mustReload(t, r.c, r.c.groupConfigs(), prefix.Rule{Match: fmt.Sprintf("(?P<label%d>.*)", i%3)})
	}
	packets, _ := ruleCount(t, rule)
	r.wait(map[string]float64{
		`nflog_packets_total{group="100",protocol="udp"}`: float64(packets),
		`nflog_lost_packets_total{group="100"}`:           0,
		`nflog_binds_total{group="100"}`:                  1,
		`nflog_bound_timestamp_seconds{group="100"}`:      bound,
	})
}

// TestIntegrationReloadManyTimes changes one group many times in a row, and removes another and adds it again. Both are
// bound in the end, as they were configured last.
func TestIntegrationReloadManyTimes(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	group := func(number uint16, buffer int) GroupConfig {
		config := promptGroup(number, ns.Path())
		config.SocketBuffer = buffer
		return config
	}
	r := start(t, Config{Groups: []GroupConfig{group(100, 8192), group(7, 8192)}})
	r.waitBound(100, 7)
	for buffer := 8192; buffer < 8192+5*1024; buffer += 1024 {
		mustReload(t, r.c, []GroupConfig{group(7, buffer)})
		mustReload(t, r.c, []GroupConfig{group(7, buffer), group(100, buffer)})
	}
	r.wait(map[string]float64{
		`nflog_up{group="7"}`: 1, `nflog_socket_buffer_bytes{group="7"}`: 2 * 12288,
		`nflog_up{group="100"}`: 1, `nflog_socket_buffer_bytes{group="100"}`: 2 * 12288,
	})
}

// TestIntegrationReloadRefused gives a bound group settings that can't be applied. The log has the reason, also why the group
// is bound no more. The group comes back with settings that can.
func TestIntegrationReloadRefused(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, ns.Path())}})
	r.waitBound(100)
	bad := promptGroup(100, ns.Path())
	bad.QueueTimeout = time.Microsecond
	mustReload(t, r.c, []GroupConfig{bad})
	const reason = "queue timeout 1µs: not a multiple of 10ms"
	if lines := r.logs.with("level=warn", "new settings were refused", reason); len(lines) != 1 {
		t.Errorf("the reason is not once in the log: %q", r.logs.with(""))
	}
	kerneltest.Eventually(t, patience, func() error {
		if state := r.c.Groups()[0]; state.Bound || !strings.Contains(state.Reason, reason) {
			return fmt.Errorf("unexpected state: %+v", state)
		}
		return nil
	})
	mustReload(t, r.c, []GroupConfig{promptGroup(100, ns.Path())})
	r.wait(map[string]float64{`nflog_up{group="100"}`: 1, `nflog_binds_total{group="100"}`: 2})
}

// TestIntegrationReloadUnbound changes a group that can't be bound. Later attempts use the new settings.
func TestIntegrationReloadUnbound(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	release := hold(t, ns)
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path(), SocketBuffer: 8192}}})
	r.waitHeld(1)
	mustReload(t, r.c, []GroupConfig{{Group: 100, NetNS: ns.Path(), SocketBuffer: 16384}})
	release()
	r.wait(map[string]float64{
		`nflog_up{group="100"}`: 1, `nflog_socket_buffer_bytes{group="100"}`: 2 * 16384, `nflog_binds_total{group="100"}`: 1,
	})
}

// TestIntegrationReloadWhileEnding reloads while the collector ends. It ends, and frees all groups.
func TestIntegrationReloadWhileEnding(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path()}}})
	r.waitBound(100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for number := uint16(0); ctx.Err() == nil; number = (number + 1) % 5 {
			if err := r.c.Reload([]GroupConfig{{Group: number, NetNS: ns.Path()}}, nil, nil); err != nil {
				t.Error(err)
			}
		}
	}()
	r.stop()
	cancel()
	<-done
	for number := range uint16(5) {
		if err := checkFree(ns, number); err != nil {
			t.Error(err)
		}
	}
}
