// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// probe sends a request that changes nothing, and returns the errno of its acknowledgement.
func probe(t *testing.T, r *Reader) (syscall.Errno, error) {
	t.Helper()
	req, err := probeRequest()
	if err != nil {
		t.Fatalf("failed to make request: %v", err)
	}
	c := &configurator{transport: r.socket, buf: r.buf, sequence: 76}
	errno, err := c.execute(req)
	r.pending = append(r.pending, c.pending...)
	return errno, err
}

// TestIntegrationExecute sends a request while packets are queued, so they precede the acknowledgement.
func TestIntegrationExecute(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{})
	log(3)
	// The kernel does not know the type of this message.
	if errno, err := probe(t, r); errno != syscall.EINVAL || err != nil {
		t.Fatalf("unexpected acknowledgement: %v, %v, want %v", errno, err, syscall.EINVAL)
	}
	log(2)
	receiveQueued(t, r)
	want := Stats{Packets: 5, Datagrams: 5}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationAckLost sends a request while the socket has no room for its acknowledgement.
func TestIntegrationAckLost(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{SocketBuffer: 10_000})
	fill(t, r, log)
	if errno, err := probe(t, r); !errors.Is(err, errNoAck) {
		t.Fatalf("unexpected acknowledgement: %v, %v, want %v", errno, err, errNoAck)
	}
	// The packets that filled the socket are not lost.
	packets := receiveQueued(t, r)
	want := Stats{Packets: packets, Datagrams: packets}
	if diff := cmp.Diff(want, r.Counts()); diff != "" || packets == 0 {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationBindAckLost binds a group that the reader has bound already. This fails, unless the
// acknowledgement of the first attempt is lost: then the first attempt may have bound it.
func TestIntegrationBindAckLost(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{SocketBuffer: 10_000})
	config, err := ReaderConfig{QueueThreshold: 1}.withDefaults()
	if err != nil {
		t.Fatalf("failed to complete configuration: %v", err)
	}
	if err := r.bind(config); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("unexpected error: %v, want %v", err, syscall.EBUSY)
	}
	fill(t, r, log)
	if err := r.bind(config); err != nil {
		t.Errorf("unexpected error after a lost acknowledgement: %v", err)
	}
}

// TestIntegrationUnbindAfterLook unbinds a group after Receive has found the socket empty, and before it checks
// whether more packets can come.
func TestIntegrationUnbindAfterLook(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{QueueThreshold: 100, QueueTimeout: time.Hour})
	log(3)
	look := r.socket.receiveFunc
	var unbind sync.Once
	r.socket.receiveFunc = func(fd uintptr) {
		look(fd)
		unbind.Do(func() {
			if errno := r.socket.errno; errno != syscall.EAGAIN {
				t.Errorf("unexpected result of the first look: %v, want %v", errno, syscall.EAGAIN)
			}
			if err := r.Unbind(); err != nil {
				t.Errorf("failed to unbind: %v", err)
			}
		})
	}
	packets := 0
	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("failed to receive: %v", err)
		}
		for range batch.Packets() {
			packets++
		}
	}
	if packets != 3 {
		t.Errorf("unexpected packets: %d, want 3", packets)
	}
}

// TestIntegrationUnbindWithoutAck unbinds the group of a waiting reader that gets no acknowledgement.
func TestIntegrationUnbindWithoutAck(t *testing.T) {
	r, _ := openLogged(t, ReaderConfig{})
	if err := DropIncoming(r.socket.fd); err != nil {
		t.Fatalf("failed to attach filter: %v", err)
	}
	wait := r.socket.waitFunc
	unbound := make(chan error, 1)
	var unbind sync.Once
	r.socket.waitFunc = func(fd uintptr) bool {
		done := wait(fd)
		unbind.Do(func() {
			go func() { unbound <- r.Unbind() }()
		})
		return done
	}
	if _, err := r.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("unexpected error: %v, want %v", err, io.EOF)
	}
	if err := <-unbound; err != nil {
		t.Errorf("failed to unbind: %v", err)
	}
}

// TestIntegrationClosePending closes a reader that holds packets that arrived before an acknowledgement.
func TestIntegrationClosePending(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{})
	log(1)
	if _, err := probe(t, r); err != nil {
		t.Fatalf("failed to send request: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("failed to close: %v", err)
	}
	if _, err := r.Receive(); !errors.Is(err, ErrClosed) {
		t.Errorf("unexpected error: %v, want %v", err, ErrClosed)
	}
}
