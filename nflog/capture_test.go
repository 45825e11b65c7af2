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

// A capture is a datagram that a kernel sent: Linux 6.18 on x86-64, copying 64 bytes of each
// packet.
type capture struct {
	name     string
	datagram string // in hexadecimal
	want     []values
}

// bytes returns the datagram as a machine of this one's byte order would have captured it.
func (c capture) bytes() []byte { return nflog.NativeOrder(unhex(c.datagram)) }

func captures() []capture {
	return slices.Concat(inetCaptures(), linkCaptures(), prefixCaptures())
}

func TestDecodeCapture(t *testing.T) {
	for _, tt := range captures() {
		t.Run(tt.name, func(t *testing.T) {
			d := nflog.NewDecoder(tt.want[0].Group)
			got := decode(d, tt.bytes())
			if diff := diffPackets(tt.want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			want := nflog.Stats{Packets: uint64(len(tt.want)), Datagrams: 1}
			if diff := cmp.Diff(want, d.Stats()); diff != "" {
				t.Errorf("unexpected stats (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecodeNative decodes the same packets from messages in the machine's own byte order.
func TestDecodeNative(t *testing.T) {
	for _, tt := range append(captures(), conntrackCapture()) {
		t.Run(tt.name, func(t *testing.T) {
			got := decode(nflog.NewDecoder(tt.want[0].Group), build(tt.want))
			if diff := diffPackets(tt.want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCaptureIsBuilt verifies that package nflogtest, on which other tests rely, makes what a kernel
// makes.
func TestCaptureIsBuilt(t *testing.T) {
	for _, tt := range captures() {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.bytes(), build(tt.want)); diff != "" {
				t.Errorf("unexpected datagram (-want +got):\n%s", diff)
			}
		})
	}
}

// conntrackCapture is one that no kernel sent, with the attributes that take a kernel with
// CONFIG_NETFILTER_NETLINK_GLUE_CT.
func conntrackCapture() capture {
	return capture{
		name: "conntrack",
		want: []values{{
			Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, InDev: 2,
			Seq:             some(uint32(0)),
			Conntrack:       nflogtest.Attribute(nil, 3, []byte{0, 0, 0, 8}), // CTA_STATUS
			ConntrackInfo:   some(nflog.ConntrackNew),
			ConntrackStatus: some(nflog.StatusConfirmed),
		}},
	}
}

// build makes a datagram of packets as the kernel does.
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

// unhex returns the bytes that a test has in hexadecimal.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// micros returns the time of a timestamp.
func micros(sec, usec int64) optional[time.Time] {
	return some(time.UnixMicro(sec*1e6 + usec))
}
