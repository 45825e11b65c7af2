// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// openLogged returns a reader, and a function that sends packets that are logged to the reader's group. Unless
// the configuration says otherwise, each packet is a datagram of its own.
func openLogged(t *testing.T, config ReaderConfig) (r *Reader, log func(packets int)) {
	t.Helper()
	const group, port = 100, 9
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "test ", nftrules.UDPPort(port), nftrules.Drop())
	if err := rs.Apply(); err != nil {
		t.Fatalf("failed to apply rules: %v", err)
	}
	config.NetNS = ns.FD()
	if config.QueueThreshold == 0 {
		config.QueueThreshold = 1
	}
	r, err := OpenReader(group, config)
	if err != nil {
		t.Fatalf("failed to open reader: %v", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, func(packets int) {
		t.Helper()
		if err := traffic.UDP(ns, netip.AddrPortFrom(netip.IPv6Loopback(), port), packets, 10); err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}
}

// socketStats returns the state of a reader's socket.
func socketStats(t *testing.T, r *Reader) SocketStats {
	t.Helper()
	stats, err := r.socketStats()
	if err != nil {
		t.Fatalf("failed to read stats: %v", err)
	}
	return stats
}

// fill sends packets until the reader's socket is full.
func fill(t *testing.T, r *Reader, log func(int)) {
	t.Helper()
	for before := socketStats(t, r).Drops; socketStats(t, r).Drops == before; {
		log(10)
	}
}

// receiveQueued receives the queued packets and returns their number.
func receiveQueued(t *testing.T, r *Reader) (packets uint64) {
	t.Helper()
	if err := r.socket.setReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatalf("failed to set deadline: %v", err)
	}
	for {
		batch, err := r.Receive()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return packets
		}
		if err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
		for range batch.Packets() {
			packets++
		}
	}
}

// TestIntegrationWaitAfterDeadline waits on a socket that has a datagram already. The previous wait ended at the
// deadline, before the datagram arrived.
func TestIntegrationWaitAfterDeadline(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{})
	s := r.socket
	for _, takeFirst := range []bool{false, true} {
		if err := s.setReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatalf("failed to set deadline: %v", err)
		}
		if err := s.wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("unexpected error: %v, want %v", err, os.ErrDeadlineExceeded)
		}

		log(1)
		if takeFirst {
			if _, _, err := s.receive(r.buf); err != nil {
				t.Fatalf("failed to receive: %v", err)
			}
			log(1)
		}
		if err := s.setReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatalf("failed to set deadline: %v", err)
		}
		if err := s.wait(); err != nil {
			t.Errorf("unexpected error (first datagram taken: %t): %v", takeFirst, err)
		}
		if _, _, err := s.receive(r.buf); err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
	}
}

// TestIntegrationDropsWrap reads the counter of drops after it has wrapped at 32 bits.
func TestIntegrationDropsWrap(t *testing.T) {
	r, _ := openLogged(t, ReaderConfig{})
	r.lastStats.Drops = 1<<33 - 5
	if got, want := socketStats(t, r).Drops, uint64(1<<33); got != want {
		t.Errorf("unexpected drops: %d, want %d", got, want)
	}
}

// TestIntegrationTruncated receives a datagram that does not fit into the buffer.
func TestIntegrationTruncated(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{})
	log(1)
	buf := r.buf
	r.buf = buf[:64]
	if packets := receiveQueued(t, r); packets != 0 {
		t.Errorf("unexpected packets: %d, want none", packets)
	}
	r.buf = buf
	log(1)
	if packets := receiveQueued(t, r); packets != 1 {
		t.Errorf("unexpected packets: %d, want 1", packets)
	}
	want := Stats{Packets: 1, Lost: 1, Datagrams: 2, Truncated: 1, MalformedMessages: 1}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationOverrun reads a socket that reports overruns, because NETLINK_NO_ENOBUFS is not set.
func TestIntegrationOverrun(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{SocketBuffer: 10_000})
	if err := unix.SetsockoptInt(r.socket.fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 0); err != nil {
		t.Fatalf("failed to set option: %v", err)
	}
	fill(t, r, log)
	packets := receiveQueued(t, r)
	log(1)
	packets += receiveQueued(t, r)
	stats := r.Counts()
	want := Stats{Packets: packets, Lost: socketStats(t, r).Drops, Datagrams: packets, Overruns: 1}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}
