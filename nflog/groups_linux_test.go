// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// severalGroups are the groups of a reader, including the lowest and the highest number.
var severalGroups = []uint16{300, 0, 65535}

// target returns the target of the packets that are logged to the i-th of several groups.
func target(i int) netip.AddrPort { return netip.AddrPortFrom(netip.IPv6Loopback(), uint16(1000+i)) }

// logGroups returns a namespace with rules that log the packets to each target to its group and drop them.
func logGroups(t testing.TB) (*netns.NS, []*nftrules.Rule) {
	t.Helper()
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	chain := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	var logging []*nftrules.Rule
	for i, group := range severalGroups {
		logging = append(logging, chain.Log(group, prefix, nftrules.UDPPort(target(i).Port()), nftrules.Drop()))
	}
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	return ns, logging
}

// openGroups opens a reader of several groups. It is closed when the test ends.
func openGroups(t testing.TB, ns *netns.NS, config nflog.ReaderConfig) *nflog.Reader {
	t.Helper()
	config.NetNS = ns.FD()
	r, err := nflog.OpenGroups(severalGroups, config)
	if err != nil {
		t.Fatalf("failed to open reader: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("failed to close reader: %v", err)
		}
	})
	return r
}

// TestIntegrationGroups reads several groups with alternating packets.
func TestIntegrationGroups(t *testing.T) {
	ns, _ := logGroups(t)
	r := openGroups(t, ns, nflog.ReaderConfig{QueueThreshold: 5, QueueTimeout: never, SeqGlobal: true})
	const rounds, most = 10, 5 // datagrams of each group, packets of a datagram
	for range rounds * most {
		for i := range severalGroups {
			sendSized(t, ns, target(i), 1, i)
		}
	}
	setDeadline(t, r, time.Now().Add(patience))
	got := make(map[uint16][]values)
	stats := make(map[uint16]nflog.Stats)
	var all []values
	for len(all) < rounds*most*len(severalGroups) {
		batch, err := r.Receive()
		if err != nil {
			t.Fatalf("failed to receive after %d packets: %v", len(all), err)
		}
		for p := range batch.Packets() {
			v := valuesOf(p)
			if v.Group != batch.Group() {
				t.Fatalf("unexpected group of a packet: %d, of its batch: %d", v.Group, batch.Group())
			}
			got[v.Group] = append(got[v.Group], v)
			all = append(all, v)
		}
		stats[batch.Group()] = batch.Stats()
	}
	for i, group := range severalGroups {
		checkNumbers(t, got[group], 0)
		for _, p := range got[group] {
			if len(p.Payload) != 48+i {
				t.Fatalf("unexpected packet of group %d: %d bytes, want %d", group, len(p.Payload), 48+i)
			}
		}
		want := nflog.Stats{Packets: rounds * most, Datagrams: rounds}
		if diff := cmp.Diff(want, stats[group]); diff != "" {
			t.Errorf("unexpected stats of group %d (-want +got):\n%s", group, diff)
		}
	}
	want := nflog.Stats{Packets: rounds * most * 3, Datagrams: rounds * 3}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}

	// The global sequence numbers show the order in which the packets were sent.
	slices.SortFunc(all, func(a, b values) int { return int(a.SeqGlobal.Value) - int(b.SeqGlobal.Value) })
	for i, p := range all {
		if want := severalGroups[i%len(severalGroups)]; p.Group != want || p.SeqGlobal != some(uint32(i+1)) {
			t.Fatalf("unexpected packet %d: of group %d with number %+v, want group %d", i, p.Group, p.SeqGlobal, want)
		}
	}
}

// receiveStats receives packets until nothing is left after Unbind. It returns the stats of each group.
func receiveStats(t testing.TB, r *nflog.Reader) map[uint16]nflog.Stats {
	t.Helper()
	stats := make(map[uint16]nflog.Stats)
	for batch, err := range r.Batches(t.Context()) {
		if err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
		for range batch.Packets() {
		}
		stats[batch.Group()] = batch.Stats()
	}
	return stats
}

// TestIntegrationGroupsOverflow reads groups that get more packets than their socket holds. Losses are counted
// per group.
func TestIntegrationGroupsOverflow(t *testing.T) {
	for name, config := range map[string]nflog.ReaderConfig{
		"batches":        {SocketBuffer: 60_000, QueueThreshold: 50},
		"single packets": {SocketBuffer: 60_000, QueueThreshold: 1},
	} {
		t.Run(name, func(t *testing.T) {
			ns, logging := logGroups(t)
			r := openGroups(t, ns, config)
			for range 20 {
				for i := range severalGroups {
					sendSized(t, ns, target(i), 50*(i+1), 10)
				}
			}
			// Losses show with the next packet that fits into the socket.
			receiveQueued(t, r)
			for i := range severalGroups {
				sendSized(t, ns, target(i), 1, 10)
			}
			if err := r.Unbind(); err != nil {
				t.Fatalf("failed to unbind: %v", err)
			}
			groupStats := receiveStats(t, r)

			var sum nflog.Stats
			for i, group := range severalGroups {
				stats := groupStats[group]
				if n := logged(t, logging[i]); stats.Packets+stats.Lost != n || n != uint64(1000*(i+1)+1) || stats.Lost == 0 {
					t.Errorf("unexpected packets + lost of group %d: %d + %d, want %d and losses", group, stats.Packets, stats.Lost, n)
				}
				want := nflog.Stats{Packets: stats.Packets, Lost: stats.Lost, Datagrams: stats.Datagrams}
				if diff := cmp.Diff(want, stats); diff != "" {
					t.Errorf("unexpected stats of group %d (-want +got):\n%s", group, diff)
				}
				sum = sum.Plus(stats)
			}
			if diff := cmp.Diff(sum, r.Counts()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIntegrationGroupsUnbind unbinds groups while the kernel has gathered packets.
func TestIntegrationGroupsUnbind(t *testing.T) {
	ns, _ := logGroups(t)
	r := openGroups(t, ns, nflog.ReaderConfig{QueueTimeout: never})
	for i := range severalGroups {
		sendSized(t, ns, target(i), i+1, 10)
	}
	unbind(t, r)
	for i := range severalGroups {
		sendSized(t, ns, target(i), 1, 10) // comes too late
	}
	stats := receiveStats(t, r)
	checkDrained(t, r)
	for i, group := range severalGroups {
		want := nflog.Stats{Packets: uint64(i + 1), Datagrams: 1}
		if diff := cmp.Diff(want, stats[group]); diff != "" {
			t.Errorf("unexpected stats of group %d (-want +got):\n%s", group, diff)
		}
	}
	openGroups(t, ns, nflog.ReaderConfig{}) // the groups are free
}

// TestIntegrationGroupsHeld opens groups while another socket holds one of them.
func TestIntegrationGroupsHeld(t *testing.T) {
	for _, group := range severalGroups {
		ns := kerneltest.NS(t)
		holder, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD()})
		if err != nil {
			t.Fatalf("failed to open reader: %v", err)
		}
		r, err := nflog.OpenGroups(severalGroups, nflog.ReaderConfig{NetNS: ns.FD()})
		if err == nil {
			_ = r.Close()
		}
		held, ok := errors.AsType[*nflog.GroupHeldError](err)
		if !errors.Is(err, nflog.ErrGroupHeld) || !ok || held.Group != group {
			t.Errorf("unexpected error: %v, want an error about group %d", err, group)
		}
		if err := holder.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
		openGroups(t, ns, nflog.ReaderConfig{}) // the other groups are free
	}
}

// TestIntegrationNoPayload reads packets without their bytes.
func TestIntegrationNoPayload(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{NoPayload: true, QueueThreshold: 1})
	send(t, ns, target6, 1)
	got := receive(t, r, 1)[0]
	want := values{
		Group: group, Family: 10, HWProtocol: 0x86dd, Hook: 3, Prefix: prefix, OutDev: 1,
		UID: got.UID, GID: got.GID, Seq: some(uint32(0)),
	}
	if diff := cmp.Diff(want, got); diff != "" || !got.UID.OK || !got.GID.OK {
		t.Errorf("unexpected packet (-want +got):\n%s", diff)
	}
}

func TestOpenGroupsErrors(t *testing.T) {
	for name, groups := range map[string][]uint16{"none": nil, "empty": {}, "twice": {1, 2, 3, 2}} {
		t.Run(name, func(t *testing.T) {
			if r, err := nflog.OpenGroups(groups, nflog.ReaderConfig{}); err == nil {
				_ = r.Close()
				t.Error("unexpected success")
			}
		})
	}
}
