// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// TestIntegrationOverflow reads a group for which more comes than its socket holds.
func TestIntegrationOverflow(t *testing.T) {
	for name, config := range map[string]nflog.ReaderConfig{
		"batches":        {SocketBuffer: 60_000, QueueTimeout: nflog.TimeoutUnit},
		"single packets": {SocketBuffer: 60_000, QueueThreshold: 1},
	} {
		t.Run(name, func(t *testing.T) {
			ns, rule := logUDP(t)
			r := open(t, ns, config)
			send(t, ns, target4, 5000)
			socket, err := r.SocketStats()
			if err != nil {
				t.Fatalf("failed to read stats: %v", err)
			}
			if socket.Drops == 0 || socket.Queued > socket.Buffer {
				t.Errorf("unexpected stats of the socket: %+v, want drops", socket)
			}

			// The losses show with a packet behind them, for which there is room.
			setDeadline(t, r, time.Unix(1, 0))
			for err = nil; err == nil; {
				_, err = r.Receive()
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("failed to receive: %v", err)
			}
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
			stats := r.Stats()
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

// TestIntegrationBatchBuffer fills sockets of several sizes: each holds eight batches.
func TestIntegrationBatchBuffer(t *testing.T) {
	for _, size := range []int{32 << 10, 50_000, 64 << 10, 100_000, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ns, _ := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{SocketBuffer: size, QueueTimeout: never})
			for socket := (nflog.SocketStats{}); socket.Drops == 0; {
				send(t, ns, target4, 500)
				var err error
				if socket, err = r.SocketStats(); err != nil {
					t.Fatalf("failed to read stats: %v", err)
				}
			}
			unbind(t, r)
			receiveAll(t, r)
			if n := r.Stats().Datagrams; n < 8 {
				t.Errorf("unexpected batches in a full socket: %d, want at least 8", n)
			}
		})
	}
}

// port returns the port number of the socket that reads a group.
func port(t *testing.T, ns *netns.NS) uint32 {
	t.Helper()
	var file []byte
	err := ns.Do(func() (err error) {
		file, err = os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_log")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		var number uint16
		var port uint32
		if _, err := fmt.Sscan(lines.Text(), &number, &port); err == nil && number == group {
			return port
		}
	}
	t.Fatalf("no reader of group %d in\n%s", group, file)
	return 0
}

// TestIntegrationForeign sends a reader messages that are not the kernel's.
func TestIntegrationForeign(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	var fd int
	err := ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		t.Fatalf("failed to make socket: %v", err)
	}
	defer unix.Close(fd)
	forge := func(datagram []byte) {
		t.Helper()
		err := unix.Sendto(fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port(t, ns)})
		if err != nil {
			t.Fatalf("failed to send: %v", err)
		}
	}

	send(t, ns, target4, 1)
	forge(good(1000))
	forge(datagramOf(1, 2, 3))
	send(t, ns, target4, 1)
	forge([]byte("rubbish"))
	send(t, ns, target4, 1)

	got := receive(t, r, 3)
	checkNumbers(t, got, 0)
	for _, p := range got {
		if p.Prefix != prefix {
			t.Errorf("unexpected prefix: %q, want %q", p.Prefix, prefix)
		}
	}
	want := nflog.Stats{Packets: 3, Datagrams: 3, Foreign: 3}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}
