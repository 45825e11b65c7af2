// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// checkClosed checks that all methods of a closed reader return ErrClosed.
func checkClosed(t *testing.T, r *nflog.Reader) {
	t.Helper()
	_, errReceive := r.Receive()
	var errBatches error
	for _, err := range r.Batches(t.Context()) {
		errBatches = err
	}
	for name, err := range map[string]error{
		"Receive":     errReceive,
		"Batches":     errBatches,
		"SetDeadline": r.SetDeadline(time.Now()),
		"Configure":   r.Configure(nflog.ReaderConfig{}),
		"Unbind":      r.Unbind(),
	} {
		if !errors.Is(err, nflog.ErrClosed) {
			t.Errorf("unexpected error of %s: %v, want %v", name, err, nflog.ErrClosed)
		}
	}
	if err := r.Close(); err != nil {
		t.Errorf("unexpected error of Close: %v", err)
	}
}

func TestIntegrationClose(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	send(t, ns, target4, 3)
	receive(t, r, 1)
	if err := r.Close(); err != nil {
		t.Fatalf("failed to close reader: %v", err)
	}
	// Two packets were not received.
	checkClosed(t, r)
	checkClosed(t, r)
	if stats := r.Stats(); stats.Packets != 1 {
		t.Errorf("unexpected stats: %+v, want 1 packet", stats)
	}
}

// receiving calls Receive in a goroutine. It returns a channel for the result when Receive waits.
func receiving(t *testing.T, r *nflog.Reader) <-chan error {
	t.Helper()
	received := make(chan error, 1)
	go func() {
		_, err := r.Receive()
		received <- err
	}()
	awaitWaiting(t, inReceive)
	return received
}

func TestIntegrationCloseInterrupts(t *testing.T) {
	for name, deadline := range map[string]time.Time{"no deadline": {}, "deadline": time.Now().Add(never)} {
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{})
			setDeadline(t, r, deadline)
			received := receiving(t, r)
			if err := r.Close(); err != nil {
				t.Fatalf("failed to close reader: %v", err)
			}
			if err := within(t, received); !errors.Is(err, nflog.ErrClosed) {
				t.Errorf("unexpected error: %v, want %v", err, nflog.ErrClosed)
			}
			checkClosed(t, r)
			open(t, ns, nflog.ReaderConfig{})
		})
	}
}

func TestIntegrationDeadline(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	checkExceeded := func(err error) {
		t.Helper()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("unexpected error: %v, want %v", err, os.ErrDeadlineExceeded)
		}
	}
	now := time.Now()
	for _, wait := range []time.Duration{50 * time.Millisecond, 0, -time.Hour} {
		setDeadline(t, r, now.Add(wait))
		_, err := r.Receive()
		checkExceeded(err)
		if time.Since(now) < wait {
			t.Errorf("unexpected end of the wait after %v, want %v", time.Since(now), wait)
		}
	}

	// Packets wait until there is another deadline.
	send(t, ns, target4, 2)
	_, err := r.Receive()
	checkExceeded(err)
	checkNumbers(t, receive(t, r, 2), 0)

	// A deadline applies to a Receive that waits already.
	setDeadline(t, r, time.Time{})
	received := receiving(t, r)
	setDeadline(t, r, now)
	checkExceeded(within(t, received))

	// The reader still works.
	setDeadline(t, r, time.Now().Add(never))
	received = receiving(t, r)
	send(t, ns, target4, 1)
	if err := within(t, received); err != nil {
		t.Errorf("unexpected error: %v", err)
	}
	send(t, ns, target4, 1)
	checkNumbers(t, receive(t, r, 1), 3)
}

// TestIntegrationDeadlineInFlood reads a group that always has packets. The deadline holds. A machine that is busy with other
// tests may need several attempts.
func TestIntegrationDeadlineInFlood(t *testing.T) {
	const lateness, attempts = 50 * time.Millisecond, 10
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueTimeout: nflog.TimeoutUnit})
	flood(t, ns, target4, 0)
	receive(t, r, 1)
	for _, wait := range []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond} {
		var late []time.Duration
		for len(late) < attempts && (len(late) == 0 || late[len(late)-1] > lateness) {
			late = append(late, receiveUntil(t, r, time.Now().Add(wait)))
		}
		if late[len(late)-1] > lateness {
			t.Errorf("the deadline in %v passes too late: %v", wait, late)
		}
	}
}

// receiveUntil receives packets until a deadline. It returns how late the deadline passed.
func receiveUntil(t *testing.T, r *nflog.Reader, deadline time.Time) (late time.Duration) {
	t.Helper()
	setDeadline(t, r, deadline)
	for {
		began := time.Now()
		batch, err := r.Receive()
		late = time.Since(deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && late >= 0:
			return late
		case err != nil:
			t.Fatalf("unexpected error %v after the deadline: %v", late, err)
		case !began.Before(deadline):
			t.Fatalf("unexpected batch from a call %v after the deadline", began.Sub(deadline))
		}
		for range batch.Packets() {
		}
	}
}

// TestIntegrationConcurrent calls all methods concurrently, for the race detector.
func TestIntegrationConcurrent(t *testing.T) {
	ns, _ := logUDP(t)
	for i := range 6 {
		r := open(t, ns, nflog.ReaderConfig{QueueTimeout: nflog.TimeoutUnit})
		ctx, cancel := context.WithCancel(t.Context())
		stop := flood(t, ns, target4, 20_000)
		var others sync.WaitGroup
		for _, call := range []func() error{
			func() error { _, _ = r.Stats(), r.Config(); return nil },
			func() error { return r.Configure(r.Config()) },
			func() error { return r.SetDeadline(time.Now().Add(time.Millisecond)) },
		} {
			others.Go(func() {
				for ctx.Err() == nil {
					if err := call(); err != nil && !errors.Is(err, nflog.ErrClosed) {
						t.Errorf("unexpected error: %v", err)
						return
					}
				}
			})
		}
		enough := make(chan struct{})
		others.Go(func() {
			for packets := 0; ; {
				batch, err := r.Receive()
				switch {
				case errors.Is(err, os.ErrDeadlineExceeded):
					continue
				case err != nil:
					if unbound := i%2 == 0 && errors.Is(err, io.EOF); !unbound && !errors.Is(err, nflog.ErrClosed) {
						t.Errorf("unexpected error: %v", err)
					}
					return
				}
				for range batch.Packets() {
					if packets++; packets == 500 {
						close(enough)
					}
				}
			}
		})
		within(t, enough)
		if i%2 == 0 {
			others.Go(func() { _ = r.Unbind() })
		}
		others.Go(func() { _ = r.Close() })
		if err := r.Close(); err != nil {
			t.Errorf("failed to close: %v", err)
		}
		cancel()
		others.Wait()
		stop()
	}
}
