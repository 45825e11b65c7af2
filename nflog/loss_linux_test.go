// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestIntegrationOverflow reads a group that gets more packets than its socket holds.
func TestIntegrationOverflow(t *testing.T) {
	for name, config := range map[string]nflog.ReaderConfig{
		"batches":        {SocketBuffer: 60_000, QueueTimeout: nflog.TimeoutUnit},
		"single packets": {SocketBuffer: 60_000, QueueThreshold: 1},
	} {
		t.Run(name, func(t *testing.T) {
			ns, rule := logUDP(t)
			r := open(t, ns, config)
			send(t, ns, target4, 5000)
			socket := r.Stats().Socket
			if socket.Drops == 0 || socket.Queued > socket.Buffer {
				t.Errorf("unexpected socket stats: %+v, want drops", socket)
			}

			// Losses show with the next packet that fits into the socket.
			receiveQueued(t, r)
			send(t, ns, target4, 1)
			setDeadline(t, r, time.Now().Add(patience))
			for stats := r.Stats(); stats.Packets+stats.Lost < logged(t, rule); stats = r.Stats() {
				batch, err := r.Receive()
				if err != nil {
					t.Fatalf("failed to receive after %+v: %v", stats, err)
				}
				for p := range batch.Packets() {
					if seq, _ := p.Seq(); uint64(seq)+1 != batch.Stats().Packets+batch.Stats().Lost {
						t.Fatalf("unexpected stats after packet %d: %+v", seq, batch.Stats())
					}
				}
			}
			stats := r.Counts()
			if n := logged(t, rule); stats.Packets+stats.Lost != n || n != 5001 {
				t.Errorf("unexpected packets + lost: %d + %d, want %d", stats.Packets, stats.Lost, n)
			}
			want := nflog.Stats{Packets: stats.Packets, Lost: stats.Lost, Datagrams: stats.Datagrams}
			if diff := cmp.Diff(want, stats); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
			if stats.Lost == 0 {
				t.Errorf("unexpected stats: %+v, want losses", stats)
			}
		})
	}
}

// TestIntegrationBatchBuffer fills sockets of several sizes. Each holds at least eight batches.
func TestIntegrationBatchBuffer(t *testing.T) {
	for _, size := range []int{32 << 10, 50_000, 64 << 10, 100_000, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ns, _ := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{SocketBuffer: size, QueueTimeout: never})
			for r.Stats().Socket.Drops == 0 {
				send(t, ns, target4, 500)
			}
			unbind(t, r)
			receiveAll(t, r)
			if n := r.Stats().Datagrams; n < 8 {
				t.Errorf("unexpected batches in a full socket: %d, want at least 8", n)
			}
		})
	}
}

// TestIntegrationForeign sends a reader messages from another socket.
func TestIntegrationForeign(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	sendForged := forge(t, ns, port(t, ns))

	send(t, ns, target4, 1)
	sendForged(good(1000))
	sendForged(datagramOf(1, 2, 3))
	send(t, ns, target4, 1)
	sendForged([]byte("garbage"))
	send(t, ns, target4, 1)

	got := receive(t, r, 3)
	checkNumbers(t, got, 0)
	for _, p := range got {
		if p.Prefix != prefix {
			t.Errorf("unexpected prefix: %q, want %q", p.Prefix, prefix)
		}
	}
	want := nflog.Stats{Packets: 3, Datagrams: 3, Foreign: 3}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}
