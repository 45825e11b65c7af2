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
)

// unbind unbinds a reader.
func unbind(t *testing.T, r *nflog.Reader) {
	t.Helper()
	if err := r.Unbind(); err != nil {
		t.Fatalf("failed to unbind: %v", err)
	}
}

// checkDrained checks that nothing is left in the socket of a reader that has returned EOF, and that Receive
// returns EOF again.
func checkDrained(t *testing.T, r *nflog.Reader) {
	t.Helper()
	if queued := r.Stats().Socket.Queued; queued != 0 {
		t.Errorf("unexpected end with %d bytes left in the socket", queued)
	}
	if _, err := r.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("unexpected error after the end: %v, want %v", err, io.EOF)
	}
}

// TestIntegrationUnbind unbinds groups while the kernel has gathered packets.
func TestIntegrationUnbind(t *testing.T) {
	tests := []struct {
		name    string
		packets int
		unbind  func(*testing.T, *nflog.Reader)
	}{
		{name: "nothing", unbind: unbind},
		{name: "one packet", packets: 1, unbind: unbind},
		{name: "many packets", packets: 4000, unbind: unbind},
		{
			name:    "twice",
			packets: 10,
			unbind: func(t *testing.T, r *nflog.Reader) {
				unbind(t, r)
				unbind(t, r)
			},
		},
		{
			name:    "deadline before",
			packets: 10,
			unbind: func(t *testing.T, r *nflog.Reader) {
				setDeadline(t, r, time.Unix(1, 0))
				unbind(t, r)
			},
		},
		{
			name:    "no deadline afterwards",
			packets: 10,
			unbind: func(t *testing.T, r *nflog.Reader) {
				unbind(t, r)
				setDeadline(t, r, time.Time{})
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ns, rule := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{QueueTimeout: never})
			send(t, ns, target4, tt.packets)
			tt.unbind(t, r)
			send(t, ns, target4, 5) // too late
			got := receiveAll(t, r)
			checkDrained(t, r)
			checkNumbers(t, got, 0)
			if n := logged(t, rule); len(got) != tt.packets || n != uint64(tt.packets)+5 {
				t.Errorf("unexpected packets: %d of %d logged, want %d", len(got), n, tt.packets)
			}
			stats := r.Counts()
			want := nflog.Stats{Packets: uint64(tt.packets), Datagrams: stats.Datagrams}
			if tt.packets < 100 {
				want.Datagrams = uint64(min(tt.packets, 1))
			}
			if diff := cmp.Diff(want, stats); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
			open(t, ns, nflog.ReaderConfig{}) // the group is free
		})
	}
}

// TestIntegrationUnbindInterrupts unbinds the group of a waiting reader.
func TestIntegrationUnbindInterrupts(t *testing.T) {
	for name, packets := range map[string]int{"nothing": 0, "packets": 100} {
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{QueueTimeout: never})
			received := make(chan []values, 1)
			go func() { received <- receiveAll(t, r) }()
			awaitWaiting(t, inReceive)
			send(t, ns, target4, packets)
			unbind(t, r)
			got := within(t, received)
			checkDrained(t, r)
			checkNumbers(t, got, 0)
			if len(got) != packets {
				t.Errorf("unexpected packets: %d, want %d", len(got), packets)
			}
		})
	}
}

// TestIntegrationUnbindInFlood unbinds groups while packets come.
func TestIntegrationUnbindInFlood(t *testing.T) {
	ns, _ := logUDP(t)
	flood(t, ns, target4, 100_000)
	for i := range 50 {
		r := open(t, ns, nflog.ReaderConfig{QueueTimeout: nflog.TimeoutUnit, QueueThreshold: uint32(1 + i%5*100)})
		received := make(chan []values, 1)
		go func() { received <- receiveAll(t, r) }()
		kerneltest.Eventually(t, patience, func() error {
			if r.Stats().Packets == 0 {
				return errors.New("no packets")
			}
			return nil
		})
		unbind(t, r)
		got := within(t, received)
		checkDrained(t, r)
		checkNumbers(t, skipUnnumbered(got), 0)
		if stats := r.Stats(); stats.Lost != 0 || stats.Packets != uint64(len(got)) {
			t.Errorf("unexpected stats of %d packets: %+v", len(got), stats)
		}
		if err := r.Close(); err != nil {
			t.Fatalf("failed to close reader: %v", err)
		}
	}
}
