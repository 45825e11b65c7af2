// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// logGroups logs what is sent to the port of UDP that has the number of the group.
func logGroups(t *testing.T, ns *netns.NS, groups ...uint16) map[uint16]*nftrules.Rule {
	t.Helper()
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	logged := make(map[uint16]*nftrules.Rule)
	for _, group := range groups {
		logged[group] = output.Log(group, "udp", nftrules.UDPPort(group), nftrules.Drop())
	}
	apply(t, rs)
	return logged
}

func sendToGroup(t *testing.T, ns *netns.NS, group uint16, packets int) {
	t.Helper()
	send(t, ns, fmt.Sprintf("127.0.0.1:%d", group), packets)
}

// TestIntegrationGroupReload has groups come, go and change while packets of theirs wait in the kernel, where they would stay
// for an hour. Each is counted, but of groups that are gone.
func TestIntegrationGroupReload(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	group := func(number uint16, copyRange uint32) GroupConfig {
		return GroupConfig{Group: number, NetNS: ns.Path(), QueueTimeout: time.Hour, CopyRange: copyRange}
	}
	logged := logGroups(t, ns, 1, 2, 3, 4)
	r := start(t, Config{Groups: []GroupConfig{group(1, 64), group(2, 64), group(3, 64)}, Labels: []string{"prefix"}})
	r.waitBound(1, 2, 3)
	for number := range uint16(3) {
		sendToGroup(t, ns, number+1, 10)
	}

	// 1 stays, 2 goes, 3 changes, 4 comes.
	rules := []prefix.Rule{{Match: "(?P<protocol_name>udp)"}}
	if err := r.c.Reload([]GroupConfig{group(1, 64), group(3, 96), group(4, 64)}, rules); err != nil {
		t.Fatal(err)
	}
	r.wait(map[string]float64{
		`nflog_up{group="1"}`: 1, `nflog_binds_total{group="1"}`: 1,
		`nflog_up{group="3"}`: 1, `nflog_binds_total{group="3"}`: 1,
		`nflog_up{group="4"}`: 1, `nflog_binds_total{group="4"}`: 1,
	})
	const with = `nflog_packets_total{group="%d",prefix="udp",protocol_name="udp"}`
	for _, m := range gather(t, r.c)["nflog_packets_total"] {
		t.Fatalf("the kernel has delivered packets already: %v", m)
	}
	for _, m := range gather(t, r.c)["nflog_up"] {
		if m.GetLabel()[0].GetValue() == "2" {
			t.Error("group 2 is still there")
		}
	}
	kerneltest.Eventually(t, patience, func() error {
		reader, err := nflog.OpenReader(2, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			return fmt.Errorf("group 2 is not free: %w", err)
		}
		return reader.Close()
	})
	for number, words := range map[int]string{2: "removed from the configuration", 3: "Group reconfigured"} {
		kerneltest.Eventually(t, patience, func() error {
			if lines := r.logs.with("level=info", fmt.Sprintf("group=%d ", number), words); len(lines) != 1 {
				return fmt.Errorf("the log does not say once what became of group %d: %q", number, r.logs.with("level=info"))
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
		packets, _ := ruleCount(t, logged[number])
		want[fmt.Sprintf(with, number)] = float64(packets)
		want[fmt.Sprintf(`nflog_lost_packets_total{group="%d"}`, number)] = 0
	}
	r.wait(want)
}

// TestIntegrationGroupReloadSame reloads what is in force already, and what only changes labels: no group is bound anew.
func TestIntegrationGroupReloadSame(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	logged := logGroups(t, ns, 100)[100]
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path(), QueueTimeout: 10 * time.Millisecond}}, Labels: []string{"protocol"}})
	r.waitBound(100)
	bound := samples(t, r.c)[`nflog_bound_timestamp_seconds{group="100"}`]
	for i := range 20 {
		sendToGroup(t, ns, 100, 10)
		if err := r.c.Reload(r.c.groupConfigs(), []prefix.Rule{{Match: fmt.Sprintf("(?P<label%d>.*)", i%3)}}); err != nil {
			t.Fatal(err)
		}
	}
	packets, _ := ruleCount(t, logged)
	r.wait(map[string]float64{
		`nflog_packets_total{group="100",protocol="udp"}`: float64(packets),
		`nflog_lost_packets_total{group="100"}`:           0,
		`nflog_binds_total{group="100"}`:                  1,
		`nflog_bound_timestamp_seconds{group="100"}`:      bound,
	})
}

// TestIntegrationGroupReloadBack has a group go and come back at once, and change several times in a row. It ends up bound,
// as it was configured last.
func TestIntegrationGroupReloadBack(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	group := func(number uint16, buffer int) GroupConfig {
		return GroupConfig{Group: number, NetNS: ns.Path(), QueueTimeout: 10 * time.Millisecond, SocketBuffer: buffer}
	}
	r := start(t, Config{Groups: []GroupConfig{group(100, 8192), group(7, 8192)}})
	r.waitBound(100, 7)
	reload := func(groups ...GroupConfig) {
		t.Helper()
		if err := r.c.Reload(groups, nil); err != nil {
			t.Fatal(err)
		}
	}
	for buffer := 8192; buffer < 8192+5*1024; buffer += 1024 {
		reload(group(7, buffer))
		reload(group(7, buffer), group(100, buffer))
	}
	r.wait(map[string]float64{
		`nflog_up{group="7"}`: 1, `nflog_socket_buffer_bytes{group="7"}`: 2 * 12288,
		`nflog_up{group="100"}`: 1, `nflog_socket_buffer_bytes{group="100"}`: 2 * 12288,
	})
}

// TestIntegrationGroupReloadUnbound changes a group that can't be bound: it is tried with the new settings.
func TestIntegrationGroupReloadUnbound(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	holder, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path(), SocketBuffer: 8192}}})
	kerneltest.Eventually(t, patience, func() error {
		if samples(t, r.c)[`nflog_bind_failures_total{group="100",reason="held"}`] == 0 {
			return errors.New("not tried yet")
		}
		return nil
	})
	if err := r.c.Reload([]GroupConfig{{Group: 100, NetNS: ns.Path(), SocketBuffer: 16384}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	r.wait(map[string]float64{
		`nflog_up{group="100"}`: 1, `nflog_socket_buffer_bytes{group="100"}`: 2 * 16384, `nflog_binds_total{group="100"}`: 1,
	})
}

// TestIntegrationGroupReloadEnd reloads while the collector ends: it ends nevertheless.
func TestIntegrationGroupReloadEnd(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path()}}})
	r.waitBound(100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for number := uint16(0); ctx.Err() == nil; number = (number + 1) % 5 {
			if err := r.c.Reload([]GroupConfig{{Group: number, NetNS: ns.Path()}}, nil); err != nil {
				t.Error(err)
			}
		}
	}()
	r.stop()
	cancel()
	<-done
	for number := range uint16(5) {
		reader, err := nflog.OpenReader(number, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			t.Errorf("group %d is not free: %v", number, err)
			continue
		}
		reader.Close()
	}
}
