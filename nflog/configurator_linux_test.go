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
	"golang.org/x/sys/unix"
)

// probe asks the kernel something, and returns what it answers.
func probe(t *testing.T, r *Reader) (syscall.Errno, error) {
	t.Helper()
	req, err := probeRequest()
	if err != nil {
		t.Fatalf("failed to make request: %v", err)
	}
	e := &exchange{transport: r.socket, memory: r.memory, sequence: 76}
	errno, err := e.transact(req)
	r.early = append(r.early, e.early...)
	return errno, err
}

// TestIntegrationTransact sends a request while packets are queued, in front of the answer.
func TestIntegrationTransact(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{})
	log(3)
	// The kernel does not know the type of the message.
	if errno, err := probe(t, r); errno != syscall.EINVAL || err != nil {
		t.Fatalf("unexpected answer: %v, %v, want %v", errno, err, syscall.EINVAL)
	}
	log(2)
	receiveQueued(t, r)
	want := Stats{Packets: 5, Datagrams: 5}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationAnswerLost sends a request for whose answer the socket has no room.
func TestIntegrationAnswerLost(t *testing.T) {
	r, log := openLogged(t, ReaderConfig{SocketBuffer: 10_000})
	fill(t, r, log)
	if errno, err := probe(t, r); !errors.Is(err, errNoAnswer) {
		t.Fatalf("unexpected answer: %v, %v, want %v", errno, err, errNoAnswer)
	}
	// What made it so full is not lost.
	packets := receiveQueued(t, r)
	want := Stats{Packets: packets, Datagrams: packets}
	if diff := cmp.Diff(want, r.Stats()); diff != "" || packets == 0 {
		t.Errorf("unexpected stats (-want +got):\n%s", diff)
	}
}

// TestIntegrationBindAnswerLost binds a group that this reader has bound. That fails, unless the
// answer to the first request is lost, so that this may be why it is bound.
func TestIntegrationBindAnswerLost(t *testing.T) {
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
		t.Errorf("unexpected error with an answer lost: %v", err)
	}
}

// TestIntegrationUnbindAfterLook unbinds a group between the moment that Receive finds nothing in
// the socket and the moment that it asks whether more may come.
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

// TestIntegrationUnbindWithoutAnswer unbinds the group of a reader that waits, to which no answer of
// the kernel comes.
func TestIntegrationUnbindWithoutAnswer(t *testing.T) {
	r, _ := openLogged(t, ReaderConfig{})
	dropAll := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	err := unix.SetsockoptSockFprog(r.socket.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &dropAll})
	if err != nil {
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

// TestIntegrationCloseBeforeEarly closes a reader that has kept packets which came before an answer.
func TestIntegrationCloseBeforeEarly(t *testing.T) {
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
