// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// hasConntrack reports whether the kernel can send the packets' connections.
func hasConntrack(t testing.TB) bool {
	t.Helper()
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{NetNS: kerneltest.NS(t).FD(), Conntrack: nflog.ConntrackRequired})
	if errors.Is(err, nflog.ErrNoConntrack) {
		return false
	}
	if err != nil {
		t.Fatalf("failed to open reader: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("failed to close reader: %v", err)
	}
	return true
}

// TestIntegrationHookFlags reads with each combination of flags.
func TestIntegrationHookFlags(t *testing.T) {
	const all = nflog.FlagSeq | nflog.FlagGlobal | nflog.FlagConntrack
	conntrack := hasConntrack(t)
	for flags := range all + 1 {
		eachSession(t, fmt.Sprintf("%#x", flags), func(t *testing.T, r *session) {
			h := openRecorder(t, r.ns, nflog.Config{Flags: flags, QThresh: 1})
			err := r.register(h.Nflog, r.ctx, h.hook, h.failed)
			if flags&nflog.FlagConntrack != 0 && !conntrack {
				if !errors.Is(err, nflog.ErrNoConntrack) || !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("unexpected error: %v, want %v", err, nflog.ErrNoConntrack)
				}
				awaitEnd(t)
				awaitFree(t, r.ns)
				return
			}
			if err != nil {
				t.Fatalf("failed to register: %v", err)
			}
			sendSized(t, r.ns, target4, 3, 10)
			for i, a := range h.await(t, 3) {
				var seq, seqGlobal *uint32
				if flags&nflog.FlagSeq != 0 {
					seq = new(uint32(i))
				}
				if flags&nflog.FlagGlobal != 0 {
					seqGlobal = new(uint32(i + 1)) // the kernel counts from 1
				}
				if diff := cmp.Diff([]*uint32{seq, seqGlobal}, []*uint32{a.Seq, a.SeqGlobal}); diff != "" {
					t.Errorf("unexpected sequence numbers of packet %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// TestIntegrationHookCopy reads with each copy mode.
func TestIntegrationHookCopy(t *testing.T) {
	const size = 60_000
	for _, tt := range []struct {
		name  string
		mode  uint8
		bytes uint32
		want  int // bytes of payload, -1 for none
	}{
		{name: "none", mode: nflog.CopyNone, bytes: 64, want: -1},
		{name: "meta", mode: nflog.CopyMeta, bytes: 64, want: -1},
		{name: "all", mode: nflog.CopyPacket, want: 28 + size},
		{name: "one byte", mode: nflog.CopyPacket, bytes: 1, want: 1},
		{name: "part", mode: nflog.CopyPacket, bytes: 127, want: 127},
		{name: "more than the packet", mode: nflog.CopyPacket, bytes: 1 << 31, want: 28 + size},
	} {
		eachSession(t, tt.name, func(t *testing.T, r *session) {
			h := openRecorder(t, r.ns, nflog.Config{Copymode: tt.mode, Bufsize: tt.bytes, QThresh: 1})
			h.register(t, r.ctx, r.register)
			sendSized(t, r.ns, target4, 1, size)
			got := -1
			if a := h.await(t, 1)[0]; a.Payload != nil {
				got = len(*a.Payload)
			}
			if got != tt.want {
				t.Errorf("unexpected payload: %d bytes, want %d", got, tt.want)
			}
		})
	}
}

// TestIntegrationHookQThresh reads batches of a configured number of packets.
func TestIntegrationHookQThresh(t *testing.T) {
	for _, tt := range []struct {
		name      string
		threshold uint32
		want      int
	}{
		{name: "one", threshold: 1, want: 1},
		{name: "seven", threshold: 7, want: 7},
		{name: "more than the kernel's default", threshold: 300, want: 300},
	} {
		eachSession(t, tt.name, func(t *testing.T, r *session) {
			h := openRecorder(t, r.ns, nflog.Config{QThresh: tt.threshold, Timeout: uint32(never / nflog.TimeoutUnit), Copymode: nflog.CopyPacket, Bufsize: 40})
			h.register(t, r.ctx, r.register)
			for range 3 {
				sendSized(t, r.ns, target4, tt.want-1, 10)
				if _, n, err := groupReader(r.ns); err != nil || n != tt.want-1 {
					t.Fatalf("unexpected packets gathered: %d, %v, want %d", n, err, tt.want-1)
				}
				sendSized(t, r.ns, target4, 1, 10)
				h.await(t, tt.want)
			}
		})
	}
}

// TestIntegrationHookTimeout reads packets that the kernel delivers at the queue timeout.
func TestIntegrationHookTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout uint32
		want    time.Duration
	}{
		"default":   {want: 100 * time.Millisecond},
		"hundredth": {timeout: 1, want: 10 * time.Millisecond},
		"fifth":     {timeout: 20, want: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			ns, _ := logUDP(t)
			h := openRecorder(t, ns, nflog.Config{Timeout: tt.timeout})
			h.register(t, t.Context(), (*nflog.Nflog).RegisterWithErrorFunc)
			start := time.Now()
			sendSized(t, ns, target4, 2, 10)
			h.await(t, 2)
			// The kernel's timer rounds to its ticks.
			if lag := time.Since(start); lag < tt.want-2*nflog.TimeoutUnit || lag > tt.want+patience/2 {
				t.Errorf("unexpected lag: %v, want %v", lag, tt.want)
			}
		})
	}
}
