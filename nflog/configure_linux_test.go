// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		if got, want := r.Stats().Socket.Buffer, uint32(2*config.SocketBuffer); want != 0 && got != want {
			t.Errorf("%+v: unexpected socket buffer: %d, want %d", config, got, want)
		}
	}
}

// TestIntegrationConfig changes some fields of the configuration that is in effect. The others keep their values.
func TestIntegrationConfig(t *testing.T) {
	t.Parallel()
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{CopyRange: 30, SocketBuffer: 128 << 10, NoPayload: true})
	want := nflog.ReaderConfig{
		CopyRange:      30,
		NoPayload:      true,
		QueueThreshold: nflog.DefaultQueueThreshold,
		QueueTimeout:   nflog.DefaultQueueTimeout,
		BatchBuffer:    16<<10 - 320, // the socket holds eight
		SocketBuffer:   128 << 10,
	}
	config := r.Config()
	if diff := cmp.Diff(want, config); diff != "" {
		t.Fatalf("unexpected configuration (-want +got):\n%s", diff)
	}
	config.NoPayload, config.QueueThreshold = false, 1
	config.NetNS, config.Conntrack = -1, nflog.ConntrackRequired // these have no effect
	if err := r.Configure(config); err != nil {
		t.Fatal(err)
	}
	want.NoPayload, want.QueueThreshold = false, 1
	if diff := cmp.Diff(want, r.Config()); diff != "" {
		t.Errorf("unexpected configuration (-want +got):\n%s", diff)
	}
	send(t, ns, target4, 1)
	if p := receive(t, r, 1)[0]; len(p.Payload) != 30 {
		t.Errorf("unexpected payload: %d bytes, want 30", len(p.Payload))
	}

	// A configuration that is refused changes nothing.
	if err := r.Configure(nflog.ReaderConfig{QueueTimeout: time.Microsecond}); err == nil {
		t.Error("unexpected success")
	}
	if diff := cmp.Diff(want, r.Config()); diff != "" {
		t.Errorf("unexpected configuration after an error (-want +got):\n%s", diff)
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
		// A slow machine tries fewer settings, but ten at least: the reader must catch up within patience.
		began := time.Now()
		for i := uint32(0); i < 10 || i < 200 && time.Since(began) < patience/6; i++ {
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
