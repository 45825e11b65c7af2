// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationPrefixes logs with a prefix of each length that the kernel allows.
// Together they contain every byte but 0, in many sequences that are not UTF-8.
func TestIntegrationPrefixes(t *testing.T) {
	const longest = 127
	config := everyPacket()
	config.QThresh, config.Timeout = 50, 1 // batches
	l := newLoopback(t, config)
	var want []string
	next := byte(1)
	for length := range longest + 1 {
		prefix := make([]byte, length)
		for i := range prefix {
			prefix[i] = next
			if next++; next == 0 {
				next++
			}
		}
		want = append(want, string(prefix))
	}
	want = append(want, " trailing ", "line\nline\r\n", "\"'\\", "\xff\xfe\xc3", "\xed\xa0\x80", "naïve 火壁")
	for prefixes := range slices.Chunk(want, 30) { // more would overflow the socket with replies
		for _, prefix := range prefixes {
			l.log(l.output, prefix)
		}
		must(t, l.rules.Apply())
	}

	l.send(t, 1)
	var got []string
	for _, a := range l.takeEqual(t, len(want)) {
		checkPresent(t, a, "Prefix")
		got = append(got, *a.Prefix)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected prefixes (-want +got):\n%s", diff)
	}
}

// TestIntegrationMarks logs packets with and without marks.
func TestIntegrationMarks(t *testing.T) {
	l := newLoopback(t, everyPacket())
	want := []*uint32{nil, new(uint32(1)), new(uint32(0x01020304)), new(uint32(0x80000000)), nil, new(uint32(0xffffffff))}
	for _, mark := range want {
		if mark == nil {
			l.log(l.output, "mark", nftrules.SetMark(0))
		} else {
			l.log(l.output, "mark", nftrules.SetMark(*mark))
		}
	}
	must(t, l.rules.Apply())

	l.send(t, 1)
	var got []*uint32
	for _, a := range l.takeEqual(t, len(want)) {
		got = append(got, a.Mark)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected marks (-want +got):\n%s", diff)
	}
}
