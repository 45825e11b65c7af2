// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestIntegrationConfigure checks that packets are delivered by the last configuration.
func TestIntegrationConfigure(t *testing.T) {
	t.Parallel()
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{CopyRange: 20, QueueTimeout: time.Hour, QueueThreshold: 1, SocketBuffer: 64 << 10})
	steps := []nflog.ReaderConfig{
		{CopyRange: 24, QueueThreshold: 5, QueueTimeout: time.Hour, SocketBuffer: 128 << 10},
		{CopyRange: 38, QueueThreshold: 3, QueueTimeout: time.Hour, SocketBuffer: 32 << 10},
		{NoPayload: true, QueueTimeout: 10 * time.Millisecond},
	}
	send(t, ns, target4, 1)
	receive(t, r, 1)
	for _, config := range steps {
		if err := r.Configure(config); err != nil {
			t.Fatal(err)
		}
		packets := max(1, int(config.QueueThreshold))
		send(t, ns, target4, packets)
		setDeadline(t, r, time.Now().Add(patience))
		batch, err := r.Receive()
		if err != nil {
			t.Fatalf("%+v: failed to receive: %v", config, err)
		}
		n := 0
		for p := range batch.Packets() {
			n++
			if got := len(p.Payload()); got != int(config.CopyRange) {
				t.Errorf("%+v: unexpected payload: %d bytes, want %d", config, got, config.CopyRange)
			}
		}
		if n != packets || batch.Lost() != 0 {
			t.Errorf("%+v: unexpected batch: %d packets, %d lost, want %d and none", config, n, batch.Lost(), packets)
		}
		stats, err := r.SocketStats()
		if want := uint32(2 * config.SocketBuffer); err != nil || want != 0 && stats.Buffer != want {
			t.Errorf("%+v: unexpected socket buffer: %d, %v, want %d", config, stats.Buffer, err, want)
		}
	}
}

// TestIntegrationConfigureFlood configures a group repeatedly while packets are logged to it. No packet is lost.
func TestIntegrationConfigureFlood(t *testing.T) {
	t.Parallel()
	ns, rule := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueTimeout: 10 * time.Millisecond, SocketBuffer: 64 << 20})
	stop := flood(t, ns, target4, 100_000)
	configured := make(chan error, 1)
	go func() {
		var err error
		for i := range uint32(200) {
			config := nflog.ReaderConfig{CopyRange: 64 + i, QueueThreshold: 10 + i, QueueTimeout: 10 * time.Millisecond, SocketBuffer: 64 << 20}
			err = errors.Join(err, r.Configure(config))
			time.Sleep(time.Millisecond)
		}
		stop()
		configured <- errors.Join(err, r.Unbind())
	}()
	setDeadline(t, r, time.Now().Add(patience))
	for {
		batch, err := r.Receive()
		if err != nil {
			break
		}
		for range batch.Packets() {
		}
	}
	if err := <-configured; err != nil {
		t.Fatal(err)
	}
	s := r.Stats()
	if n := logged(t, rule); s.Packets != n || s.Lost != 0 || s.Foreign != 0 || n == 0 {
		t.Errorf("unexpected stats: %+v, want %d packets", s, n)
	}
}

func TestIntegrationConfigureRefuses(t *testing.T) {
	t.Parallel()
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{})
	if err := r.Configure(nflog.ReaderConfig{QueueTimeout: time.Microsecond}); err == nil || !strings.Contains(err.Error(), "queue timeout 1µs: not a multiple of 10ms") {
		t.Errorf("unexpected error: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Configure(nflog.ReaderConfig{}); !errors.Is(err, nflog.ErrClosed) {
		t.Errorf("unexpected error after Close: %v", err)
	}
}
