// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package procnet

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

func TestParse(t *testing.T) {
	const header = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
	tests := []struct {
		name    string
		groups  string
		sockets string
		want    Group
		ok      bool
	}{
		{name: "not bound", sockets: header, ok: true},
		{
			name:   "another group",
			groups: "    5   1234     7 2   128     50  1\n",
			ok:     true,
		},
		{
			name:    "idle",
			groups:  "    5   1234     7 2   128     50  1\n  100   1234     0 2   128     50  1\n",
			sockets: header + "0000000000000000 12  1234       00000000 0        0        0     2        0        51\n",
			want:    Group{Bound: true, Port: 1234},
			ok:      true,
		},
		{
			name:   "busy",
			groups: "  100   1234    12 2   128     50  1\n",
			sockets: header +
				"0000000000000000 0   1234       00000000 77       0        0     2        0        50\n" +
				"0000000000000000 12  0          00000000 1        0        0     2        0        52\n" +
				"0000000000000000 12  1234       00000000 4352     0        0     2        3        51\n",
			want: Group{Bound: true, Port: 1234, Batched: 12, Queued: 4352},
			ok:   true,
		},
		{name: "bad port", groups: "  100   x    12 2   128     50  1\n"},
		{name: "bad batch", groups: "  100   1234    x 2   128     50  1\n"},
		{name: "no socket", groups: "  100   1234    12 2   128     50  1\n", sockets: header},
		{name: "bad socket", groups: "  100   1234    12 2   128     50  1\n", sockets: header + "0 12 1234 00000000 x 0 0 2 0 51\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(100, tt.groups, tt.sockets)
			if (err == nil) != tt.ok {
				t.Fatalf("unexpected error: want ok %t, got %v", tt.ok, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected group (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIntegrationReadGroup follows packets from a batch to the socket, and out of it.
func TestIntegrationReadGroup(t *testing.T) {
	const group = 100
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	rs.Chain(nftrules.Chain{Hook: nftrules.Output, Drop: true}).Log(group, "")
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	read := func() Group {
		t.Helper()
		g, err := ReadGroup(ns, group)
		if err != nil {
			t.Fatalf("failed to read: %v", err)
		}
		return g
	}
	if got := read(); got != (Group{}) {
		t.Errorf("unexpected group before it is bound: %+v", got)
	}

	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: ns.FD(), QueueThreshold: 4, QueueTimeout: time.Hour})
	if err != nil {
		t.Fatalf("failed to open: %v", err)
	}
	defer r.Close()
	send := func(packets int) {
		t.Helper()
		if err := traffic.UDP(ns, netip.MustParseAddrPort("127.0.0.1:9"), packets, 10); err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}
	send(3)
	if got := read(); !got.Bound || got.Port == 0 || got.Batched != 3 || got.Queued != 0 {
		t.Errorf("unexpected group while a batch waits: %+v", got)
	}
	send(1)
	if got := read(); got.Batched != 0 || got.Queued == 0 {
		t.Errorf("unexpected group after the batch was sent: %+v", got)
	}
	if _, err := r.Receive(); err != nil {
		t.Fatalf("failed to receive: %v", err)
	}
	if got := read(); got.Batched != 0 || got.Queued != 0 {
		t.Errorf("unexpected group after the batch was received: %+v", got)
	}
}
