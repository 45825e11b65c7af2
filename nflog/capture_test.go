// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// A capture is a datagram from a kernel: Linux 6.18 on x86-64, copying 64 bytes of each packet.
type capture struct {
	name     string
	datagram string // hexadecimal
	want     []values
}

// bytes returns the datagram in this machine's byte order.
func (c capture) bytes() []byte { return nflog.NativeOrder(unhex(c.datagram)) }

func captures() []capture {
	return slices.Concat(inetCaptures(), linkCaptures(), prefixCaptures(), conntrackCaptures())
}

func TestDecodeCapture(t *testing.T) {
	for _, tt := range captures() {
		t.Run(tt.name, func(t *testing.T) {
			d := nflog.NewDecoder(tt.want[0].Group)
			got := decode(d, tt.bytes())
			if diff := diffPackets(tt.want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			want := nflog.Stats{Packets: uint64(len(tt.want)), Lost: uint64(tt.want[0].Seq.Value), Datagrams: 1}
			if diff := cmp.Diff(want, d.Stats()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCaptureIsBuilt checks that package nflogtest builds the same messages as a kernel. Other tests rely on
// that.
func TestCaptureIsBuilt(t *testing.T) {
	for _, tt := range captures() {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.bytes(), build(tt.want)); diff != "" {
				t.Errorf("unexpected datagram (-want +got):\n%s", diff)
			}
		})
	}
}

// build builds the datagram that a kernel sends for packets.
func build(packets []values) []byte {
	var datagram []byte
	for _, v := range packets {
		datagram = v.message().Append(datagram)
	}
	if len(packets) > 1 {
		datagram = nflogtest.Done(datagram)
	}
	return datagram
}

// unhex decodes hexadecimal. White space is ignored.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// micros returns the time of a timestamp in seconds and microseconds.
func micros(sec, usec int64) optional[time.Time] {
	return some(time.UnixMicro(sec*1e6 + usec))
}
