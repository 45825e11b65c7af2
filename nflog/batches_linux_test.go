// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// count iterates over all batches until the context is done, and returns the number of packets.
func count(t testing.TB, ctx context.Context, r *nflog.Reader) (packets uint64) {
	t.Helper()
	for batch, err := range r.Batches(ctx) {
		if err != nil {
			t.Fatalf("failed to receive after %d packets: %v", packets, err)
		}
		for range batch.Packets() {
			packets++
		}
	}
	return packets
}

// TestIntegrationBatches iterates until the context is done, while packets come. Every packet that was logged until then is
// received.
func TestIntegrationBatches(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"done before": 0, "done soon": time.Millisecond, "done later": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			ns, rule := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{})
			send(t, ns, target4, 7)
			stop := flood(t, ns, target4, 50_000)
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			began := time.Now()
			packets := count(t, ctx, r)
			if late := time.Since(began) - timeout; late > soon {
				t.Errorf("the loop ends %v after its context", late)
			}
			stop()
			if packets < 7 || packets > logged(t, rule) || r.Stats().Packets != packets {
				t.Errorf("unexpected packets: %d of %d, stats %+v", packets, logged(t, rule), r.Stats())
			}
			checkDrained(t, r)
			open(t, ns, nflog.ReaderConfig{}) // the group is free
			if packets := count(t, t.Context(), r); packets != 0 {
				t.Errorf("unexpected packets of another loop: %d", packets)
			}
		})
	}
}

// TestIntegrationBatchesBreak stops a loop early. Another loop continues, and the end of the first one's context means
// nothing any more.
func TestIntegrationBatchesBreak(t *testing.T) {
	ns, _ := logUDP(t)
	r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
	ctx, cancel := context.WithCancel(t.Context())
	send(t, ns, target4, 5)
	for batch, err := range r.Batches(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		for range batch.Packets() {
		}
		break
	}
	cancel()
	checkNumbers(t, receive(t, r, 4), 1)
	send(t, ns, target4, 1) // the group is still bound
	unbind(t, r)
	if packets := count(t, t.Context(), r); packets != 1 {
		t.Errorf("unexpected packets: %d, want 1", packets)
	}
}

// TestIntegrationBatchesErrors ends loops by errors: each is the last thing that the loop gets.
func TestIntegrationBatchesErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		provoke func(*nflog.Reader) error
		want    error
	}{
		"deadline": {provoke: func(r *nflog.Reader) error { return r.SetDeadline(time.Now()) }, want: os.ErrDeadlineExceeded},
		"Close":    {provoke: (*nflog.Reader).Close, want: nflog.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			r := open(t, ns, nflog.ReaderConfig{QueueThreshold: 1})
			send(t, ns, target4, 1)
			var errs []error
			batches := 0
			for batch, err := range r.Batches(t.Context()) {
				if err != nil {
					errs = append(errs, err)
					if batch != nil {
						t.Error("an error comes with a batch")
					}
					continue
				}
				batches++
				if err := tt.provoke(r); err != nil {
					t.Fatal(err)
				}
			}
			if batches != 1 || len(errs) != 1 || !errors.Is(errs[0], tt.want) {
				t.Errorf("unexpected end after %d batches: %v, want %v", batches, errs, tt.want)
			}
		})
	}
}
