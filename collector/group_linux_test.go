// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationGroupCounts compares the counts of the collector with those of the rules.
func TestIntegrationGroupCounts(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	input := rs.Chain(nftrules.Chain{Hook: nftrules.Input})
	counted := map[string]*nftrules.Rule{
		`family="ip",group="100",hook="output",in_interface="",out_interface="lo",prefix="udp out:",protocol="udp"`: output.Log(100, "udp out: ", nftrules.UDPPort(9)),
		`family="ip",group="100",hook="input",in_interface="lo",out_interface="",prefix="udp in",protocol="udp"`:    input.Log(100, "udp in", nftrules.UDPPort(9)),
		`family="ip6",group="100",hook="input",in_interface="lo",out_interface="",prefix="",protocol="udp"`:         input.Log(100, "", nftrules.UDPPort(10)),
		`family="ip",group="7",hook="output",in_interface="",out_interface="lo",prefix="syn",protocol="tcp"`:        output.Log(7, "syn", nftrules.TCPPort(11), nftrules.Drop()),
	}
	apply(t, rs)
	started := time.Now()
	r := start(t, Config{Groups: []GroupConfig{
		promptGroup(100, ns.Path()), promptGroup(7, ns.Path()),
	}})
	r.waitBound(100, 7)

	sink(t, ns, "127.0.0.1:9", "[::1]:10")
	send(t, ns, "127.0.0.1:9", 3000)
	send(t, ns, "[::1]:10", 100)
	if err := traffic.SYN(ns, netip.MustParseAddrPort("127.0.0.1:11"), 50); err != nil {
		t.Fatal(err)
	}

	want := map[string]float64{
		`nflog_up{group="100"}`: 1, `nflog_up{group="7"}`: 1,
		`nflog_binds_total{group="100"}`: 1, `nflog_binds_total{group="7"}`: 1,
		`nflog_lost_packets_total{group="100"}`: 0, `nflog_lost_packets_total{group="7"}`: 0,
		`nflog_decode_errors_total{group="100",reason="attribute"}`: 0,
		`nflog_decode_errors_total{group="100",reason="message"}`:   0,
		`nflog_decode_errors_total{group="100",reason="packet"}`:    0,
		`nflog_unknown_attributes_total{group="100"}`:               0,
		`nflog_label_sets{group="100"}`:                             3, `nflog_label_sets{group="7"}`: 1,
	}
	for labels, rule := range counted {
		packets, bytes := ruleCount(t, rule)
		want["nflog_packets_total{"+labels+"}"] = float64(packets)
		want["nflog_bytes_total{"+labels+"}"] = float64(bytes)
	}
	r.wait(want)

	got := samples(t, r.c)
	for _, name := range []string{"nflog_bound_timestamp_seconds", "nflog_last_packet_timestamp_seconds"} {
		at := got[name+`{group="100"}`]
		if at < seconds(started) || at > seconds(time.Now()) {
			t.Errorf("%s is %v, not after %v", name, at, seconds(started))
		}
	}
	if n := got[`nflog_datagrams_total{group="100"}`]; n < 1 || n > 6100 {
		t.Errorf("%v datagrams for 6,100 packets", n)
	}
	if n := got[`nflog_socket_buffer_bytes{group="100"}`]; n < nflog.DefaultSocketBuffer/4 {
		t.Errorf("the socket's buffer is %v bytes", n)
	}
}

// TestIntegrationGroupHeld runs a collector while another socket holds one of its groups.
func TestIntegrationGroupHeld(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	release := hold(t, ns)
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path()}, {Group: 7, NetNS: ns.Path()}}})

	// Several attempts log one error.
	r.waitHeld(2)
	r.waitBound(7)
	state := r.c.Groups()[0]
	const reason = "the exporter itself reads it already" // the holder is in this process
	if !state.Tried || state.Bound || !strings.Contains(state.Reason, reason) {
		t.Errorf("unexpected state: %+v", state)
	}
	if lines := r.logs.with("level=error", "group=100", reason); len(lines) != 1 {
		t.Errorf("%d errors in the log, want one: %q", len(lines), lines)
	}
	release()
	r.wait(map[string]float64{`nflog_up{group="100"}`: 1, `nflog_binds_total{group="100"}`: 1})
	if got := r.c.Groups()[0]; !got.Tried || !got.Bound || got.Reason != "" {
		t.Errorf("unexpected state: %+v", got)
	}
}

// TestIntegrationGroupNamespace reads a path that is not a network namespace, and one that leads to a namespace later.
func TestIntegrationGroupNamespace(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	dir := t.TempDir()
	later, file := filepath.Join(dir, "later"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: later}, {Group: 7, NetNS: file}}})
	for i, path := range []string{later, file} {
		group := r.c.groups[i].config.Group
		kerneltest.Eventually(t, 10*time.Second, func() error {
			if !r.c.Groups()[i].Tried {
				return fmt.Errorf("group %d was not tried", group)
			}
			return nil
		})
		if got := samples(t, r.c)[fmt.Sprintf(`nflog_bind_failures_total{group="%d",netns=%q,reason="namespace"}`, group, path)]; got < 1 {
			t.Errorf("%s: %v failures because of the namespace", path, got)
		}
		if state := r.c.Groups()[i]; state.Bound || !strings.Contains(state.Reason, path) {
			t.Errorf("the state does not name %s: %+v", path, state)
		}
	}
	if state := r.c.Groups()[1]; !strings.Contains(state.Reason, "let mounts propagate") {
		t.Errorf("the state of the file does not name the cure: %+v", state)
	}
	if err := os.Symlink(ns.Path(), later); err != nil {
		t.Fatal(err)
	}
	r.wait(map[string]float64{fmt.Sprintf(`nflog_up{group="100",netns=%q}`, later): 1})
}

// TestIntegrationGroupShutdown checks that packets that wait in the kernel are counted when the collector ends, and that
// the group is free then.
func TestIntegrationGroupShutdown(t *testing.T) {
	t.Parallel()
	const packets = 200
	ns := kerneltest.NS(t)
	rule := logUDP(t, ns)
	r := start(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: ns.Path(), QueueTimeout: time.Hour}}})
	r.waitBound(100)
	send(t, ns, "127.0.0.1:9", packets)
	total := udpPackets("lo")
	if got := samples(t, r.c)[total]; got != 0 {
		t.Fatalf("the kernel has delivered %v packets already", got)
	}
	r.stop()
	if n, _ := ruleCount(t, rule); n != packets {
		t.Fatalf("the rule has counted %d packets, %d were sent", n, packets)
	}
	r.wait(map[string]float64{
		total:                                   packets,
		`nflog_lost_packets_total{group="100"}`: 0,
		`nflog_socket_drops_total{group="100"}`: 0,
		`nflog_up{group="100"}`:                 0,
		`nflog_receive_errors_total{group="100",reason="other"}`: 0,
	})
	if at, ok := samples(t, r.c)[`nflog_bound_timestamp_seconds{group="100"}`]; ok {
		t.Errorf("a group that is not bound was bound at %v", at)
	}
	if state := r.c.Groups()[0]; state.Bound || state.Reason != "shut down" {
		t.Errorf("unexpected state: %+v", state)
	}
	if err := checkFree(ns, 100); err != nil {
		t.Error(err)
	}
}

// TestIntegrationGroupRebind checks that counts are kept when the group's socket fails.
func TestIntegrationGroupRebind(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	logUDP(t, ns)
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, ns.Path())}})
	total := udpPackets("lo")

	var sent float64
	for bind := 1.0; bind <= 3; bind++ {
		r.wait(map[string]float64{
			`nflog_up{group="100"}`: 1, `nflog_binds_total{group="100"}`: bind,
			`nflog_receive_errors_total{group="100",reason="other"}`: bind - 1,
		})
		send(t, ns, "127.0.0.1:9", 100)
		sent += 100
		r.wait(map[string]float64{total: sent, `nflog_lost_packets_total{group="100"}`: 0, `nflog_label_sets{group="100"}`: 1})
		before := samples(t, r.c)[`nflog_datagrams_total{group="100"}`]
		if before < bind {
			t.Errorf("%v datagrams in %v bindings", before, bind)
		}
		r.breakSocket(0)
	}
	if lines := r.logs.with("level=error", "socket failed"); len(lines) < 2 {
		t.Errorf("%d errors in the log: %q", len(lines), lines)
	}
}

// TestIntegrationGroupRename renames an interface while packets are sent over it.
func TestIntegrationGroupRename(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	rule := logUDP(t, ns)
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, ns.Path())}})
	r.waitBound(100)
	oldName, newName := udpPackets("lo"), udpPackets("renamed")
	send(t, ns, "127.0.0.1:9", 10)
	r.wait(map[string]float64{oldName: 10})

	if err := ns.Rename("lo", "renamed"); err != nil {
		t.Fatal(err)
	}
	// Packets have the old name until the collector has read the kernel's message.
	kerneltest.Eventually(t, 10*time.Second, func() error {
		send(t, ns, "127.0.0.1:9", 1)
		if samples(t, r.c)[newName] == 0 {
			return fmt.Errorf("no packet has the new name: %v", samples(t, r.c))
		}
		return nil
	})
	sent, _ := ruleCount(t, rule)
	kerneltest.Eventually(t, 10*time.Second, func() error {
		got := samples(t, r.c)
		if sum := got[oldName] + got[newName]; sum != float64(sent) {
			return fmt.Errorf("%v packets are counted, %d were sent", sum, sent)
		}
		return nil
	})
	before := samples(t, r.c)
	send(t, ns, "127.0.0.1:9", 10)
	r.wait(map[string]float64{oldName: before[oldName], newName: before[newName] + 10})
}
