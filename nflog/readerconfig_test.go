// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReaderConfig(t *testing.T) {
	defaults := ReaderConfig{
		CopyRange:      128,
		QueueThreshold: 65535,
		QueueTimeout:   500 * time.Millisecond,
		BatchBuffer:    MaxBatchBuffer,
		SocketBuffer:   16 << 20,
	}
	lowest := ReaderConfig{
		CopyRange:      1,
		QueueThreshold: 1,
		QueueTimeout:   10 * time.Millisecond,
		BatchBuffer:    3776,
		SocketBuffer:   1,
	}
	highest := ReaderConfig{
		CopyRange:      65531,
		QueueThreshold: math.MaxUint32,
		QueueTimeout:   MaxQueueTimeout,
		BatchBuffer:    131072,
		SocketBuffer:   math.MaxInt32 / 2,
	}
	tests := []struct {
		name    string
		config  ReaderConfig
		want    ReaderConfig
		wantErr string
	}{
		{name: "defaults", want: defaults},
		{name: "explicit defaults", config: defaults, want: defaults},
		{name: "lowest", config: lowest, want: lowest},
		{name: "highest", config: highest, want: highest},
		{
			name:   "few packets per batch",
			config: ReaderConfig{QueueThreshold: 100},
			want: ReaderConfig{
				CopyRange: 128, QueueThreshold: 100, QueueTimeout: 500 * time.Millisecond, BatchBuffer: 38400, SocketBuffer: 16 << 20,
			},
		},
		{
			name:   "one packet per batch",
			config: ReaderConfig{QueueThreshold: 1},
			want: ReaderConfig{
				CopyRange: 128, QueueThreshold: 1, QueueTimeout: 500 * time.Millisecond, BatchBuffer: 3776, SocketBuffer: 16 << 20,
			},
		},
		{
			name:   "one default",
			config: ReaderConfig{NetNS: 7, CopyRange: 64, QueueThreshold: 10, BatchBuffer: 8000, SocketBuffer: 4096},
			want: ReaderConfig{
				NetNS: 7, CopyRange: 64, QueueThreshold: 10, QueueTimeout: 500 * time.Millisecond, BatchBuffer: 8000, SocketBuffer: 4096,
			},
		},
		{name: "copy range", config: ReaderConfig{CopyRange: 65532}, wantErr: "copy range 65532: more than 65531 bytes"},
		{name: "negative timeout", config: ReaderConfig{QueueTimeout: -1}, wantErr: "queue timeout -1ns: not a multiple of 10ms"},
		{name: "fraction of a step", config: ReaderConfig{QueueTimeout: 15 * time.Millisecond}, wantErr: "queue timeout 15ms: not a multiple of 10ms"},
		{
			name:    "long timeout",
			config:  ReaderConfig{QueueTimeout: MaxQueueTimeout + 10*time.Millisecond},
			wantErr: "queue timeout 11h55m49.68s: not a multiple of 10ms from 10ms to 11h55m49.67s",
		},
		{name: "small batch buffer", config: ReaderConfig{BatchBuffer: 3775}, wantErr: "batch buffer 3775: not from 3776 to 131072 bytes"},
		{name: "large batch buffer", config: ReaderConfig{BatchBuffer: 131073}, wantErr: "batch buffer 131073: not from 3776 to 131072 bytes"},
		{name: "negative socket buffer", config: ReaderConfig{SocketBuffer: -1}, wantErr: "socket buffer -1: not from "},
		{name: "conntrack mode", config: ReaderConfig{Conntrack: 3}, wantErr: "conntrack mode 3: not from 0 to 2"},
		{name: "large socket buffer", config: ReaderConfig{SocketBuffer: math.MaxInt32/2 + 1}, wantErr: "socket buffer 1073741824: not from "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.config.withDefaults()
			if tt.wantErr != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.wantErr) {
					t.Errorf("unexpected error: %v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatalf("unexpected error: %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected configuration (-want +got):\n%s", diff)
			}
		})
	}
}
