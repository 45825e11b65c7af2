// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationPackets compares the received packets with the rule's counter.
func TestIntegrationPackets(t *testing.T) {
	ns, rule := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueTimeout: nflog.TimeoutUnit})
	const each = 700
	send(t, ns, target4, each)
	send(t, ns, target6, each)
	got := receive(t, r, 2*each)

	checkNumbers(t, got, 0)
	for i, p := range got {
		want := values{
			Group: group, Family: 2, HWProtocol: 0x0800, Hook: 3, Prefix: prefix, OutDev: 1,
			UID: p.UID, GID: p.GID, Seq: p.Seq, Payload: p.Payload,
		}
		length := 38
		if i >= each {
			want.Family, want.HWProtocol = 10, 0x86dd
			length = 58
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Fatalf("unexpected packet %d (-want +got):\n%s", i, diff)
		}
		if len(p.Payload) != length || !p.UID.OK || !p.GID.OK {
			t.Fatalf("unexpected packet %d: %+v, want %d bytes of payload, UID and GID", i, p, length)
		}
	}
	stats := r.Counts()
	if n := logged(t, rule); n != 2*each || stats.Packets != n {
		t.Errorf("unexpected packets: received %d, logged %d, want %d", stats.Packets, n, 2*each)
	}
	want := nflog.Stats{Packets: 2 * each, Datagrams: stats.Datagrams}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationNumbersRestart opens a group again. Its sequence numbers begin at 0 again.
func TestIntegrationNumbersRestart(t *testing.T) {
	ns, _ := logUDP(t)
	for range 3 {
		r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 5})
		send(t, ns, target4, 10)
		checkNumbers(t, receive(t, r, 10), 0)
		if err := r.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
		send(t, ns, target4, 3) // nobody reads
	}
}

// TestIntegrationOwnNamespace reads in the namespace of the calling thread.
func TestIntegrationOwnNamespace(t *testing.T) {
	ns, _ := logUDP(t)
	var r *nflog.Reader
	err := ns.Do(func() (err error) {
		r, err = nflog.OpenReader(group, nflog.ReaderConfig{QueueThreshold: 3})
		return err
	})
	if err != nil {
		t.Fatalf("failed to open reader: %v", err)
	}
	defer r.Close()
	// The same group of another namespace does not count.
	other, _ := logUDP(t)
	send(t, other, target4, 5)

	send(t, ns, target4, 3)
	if got := receive(t, r, 3); len(got) != 3 {
		t.Errorf("unexpected packets: %d, want 3", len(got))
	}
}

func TestIntegrationCopyRange(t *testing.T) {
	for _, tt := range []struct {
		name      string
		copyRange uint32
		snaplen   uint32
		want      int
	}{
		{name: "default", want: 128},
		{name: "one byte", copyRange: 1, want: 1},
		{name: "all", copyRange: nflog.MaxCopyRange, want: 60_028},
		{name: "limited by the rule", copyRange: 100, snaplen: 21, want: 21},
		{name: "less than the rule's limit", copyRange: 22, snaplen: 100, want: 22},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns := kerneltest.NS(t)
			rs := nftrules.New(ns)
			var parts []nftrules.Part
			if tt.snaplen > 0 {
				parts = append(parts, nftrules.Snaplen(tt.snaplen))
			}
			rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, prefix, append(parts, nftrules.Drop())...)
			if err := rs.Apply(); err != nil {
				t.Fatalf("failed to apply rules: %v", err)
			}
			r := open(t, ns, nflog.ReaderConfig{CopyRange: tt.copyRange, QueueThreshold: 1})
			sendSized(t, ns, target4, 1, 60_000)
			if got := receive(t, r, 1); len(got[0].Payload) != tt.want {
				t.Errorf("unexpected payload: %d bytes, want %d", len(got[0].Payload), tt.want)
			}
		})
	}
}

// TestIntegrationQueueThreshold reads batches of a configured number of packets.
func TestIntegrationQueueThreshold(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 7, QueueTimeout: never})
	send(t, ns, target4, 7*4+3)
	receive(t, r, 7*4)
	send(t, ns, target4, 4)
	receive(t, r, 7)
	want := nflog.Stats{Packets: 7 * 5, Datagrams: 5}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationQueueTimeout reads a packet that the kernel delivers at the queue timeout.
func TestIntegrationQueueTimeout(t *testing.T) {
	ns, _ := logUDP(t)
	const timeout = 200 * time.Millisecond
	r := open(t, ns, nflog.ReaderConfig{QueueTimeout: timeout})
	start := time.Now()
	send(t, ns, target4, 1)
	receive(t, r, 1)
	// The kernel's timer rounds to its ticks.
	if lag := time.Since(start); lag < timeout-2*nflog.TimeoutUnit || lag > timeout+patience/2 {
		t.Errorf("unexpected lag: %v, want %v", lag, timeout)
	}
}

// TestIntegrationLargestBatch reads the largest datagrams that the kernel makes.
func TestIntegrationLargestBatch(t *testing.T) {
	ns, rule := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueTimeout: never, BatchBuffer: nflog.MaxBatchBuffer})
	send(t, ns, target4, 5000)
	if err := r.Unbind(); err != nil {
		t.Fatalf("failed to unbind: %v", err)
	}
	var largest int
	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
		packets := 0
		for range batch.Packets() {
			packets++
		}
		largest = max(largest, packets)
	}
	// The kernel makes smaller ones if it lacks memory for a large one.
	if largest < 1000 {
		t.Errorf("unexpected packets of the largest datagram: %d, want more than 1000", largest)
	}
	stats := r.Counts()
	want := nflog.Stats{Packets: logged(t, rule), Datagrams: stats.Datagrams}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationSocketStats reads the stats of a socket while packets wait.
func TestIntegrationSocketStats(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1, SocketBuffer: 100_000})
	stats := func() nflog.SocketStats { return r.Stats().Socket }
	if diff := cmp.Diff(nflog.SocketStats{Buffer: 200_000}, stats()); diff != "" {
		t.Errorf("unexpected stats at first (-want +got):\n%s", diff)
	}
	send(t, ns, target4, 10)
	if s := stats(); s.Queued < 10*100 || s.Queued > s.Buffer || s.Drops != 0 {
		t.Errorf("unexpected stats with 10 packets waiting: %+v", s)
	}
	receive(t, r, 10)
	if diff := cmp.Diff(nflog.SocketStats{Buffer: 200_000}, stats()); diff != "" {
		t.Errorf("unexpected stats at last (-want +got):\n%s", diff)
	}

	// After Close they stay.
	for stats().Drops == 0 {
		send(t, ns, target4, 100)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("failed to close: %v", err)
	}
	if s := stats(); s.Drops == 0 || s.Queued == 0 || s.Buffer != 200_000 {
		t.Errorf("unexpected stats after Close: %+v", s)
	}
}
