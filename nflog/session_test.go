// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A debugLog records the debug messages of a logger.
type debugLog []string

func (l *debugLog) Debugf(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (*debugLog) Errorf(string, ...any) {}

// TestHookDeliver passes the packets of datagrams to hooks, and logs what is skipped.
func TestHookDeliver(t *testing.T) {
	malformed := packet(header(), number(1), attr(attrMark, 0))
	unknown := packet(header(), number(1), attr(99, 1), attr(98))
	tests := []struct {
		name      string
		datagrams [][]byte
		last      uint32 // the hook stops at this sequence number
		want      []uint32
		wantMore  bool
		wantLog   []string
	}{
		{name: "nothing", last: 9, wantMore: true},
		{name: "empty datagram", datagrams: [][]byte{{}}, last: 9, wantMore: true},
		{name: "packets", datagrams: [][]byte{datagramOf(0, 1), datagramOf(2)}, last: 9, want: []uint32{0, 1, 2}, wantMore: true},
		{name: "losses", datagrams: [][]byte{datagramOf(3, 5), datagramOf(8)}, last: 9, want: []uint32{3, 5, 8}, wantMore: true},
		{
			name:      "malformed",
			datagrams: [][]byte{slices.Concat(good(0), malformed, good(2), withLength(good(3), 3)), datagramOf(4), malformed},
			last:      9,
			want:      []uint32{0, 2, 4},
			wantMore:  true,
			wantLog:   []string{"skipped malformed messages: 2", "skipped malformed messages: 1"},
		},
		{
			name:      "unknown",
			datagrams: [][]byte{slices.Concat(good(0), unknown, good(2)), datagramOf(3), unknown},
			last:      9,
			want:      []uint32{0, 1, 2, 3, 1},
			wantMore:  true,
			wantLog:   []string{"skipped attributes of an unknown type: 2", "skipped attributes of an unknown type: 2"},
		},
		{name: "stop at the end", datagrams: [][]byte{datagramOf(0, 1)}, last: 1, want: []uint32{0, 1}},
		{name: "stop inside", datagrams: [][]byte{datagramOf(0, 1, 2, 3), datagramOf(4)}, last: 1, want: []uint32{0, 1}},
		{name: "stop after the first datagram", datagrams: [][]byte{datagramOf(0), datagramOf(1), datagramOf(2)}, last: 1, want: []uint32{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log debugLog
			var got []uint32
			more := nflog.Deliver(group, &log, func(a nflog.Attribute) int {
				got = append(got, *a.Seq)
				if *a.Seq == tt.last {
					return -1
				}
				return 0
			}, tt.datagrams...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantLog, []string(log)); diff != "" {
				t.Errorf("unexpected log (-want +got):\n%s", diff)
			}
			if more != tt.wantMore {
				t.Errorf("unexpected result: more %t, want %t", more, tt.wantMore)
			}
		})
	}
}
