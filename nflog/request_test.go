// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequest(t *testing.T) {
	config := groupConfig{
		copyMode: CopyPacket, copyRange: 128, flags: FlagSeq, batchBuffer: 131072, queueThreshold: 65535, queueTimeout: 50,
	}
	tests := []struct {
		name string
		make func() ([]byte, error)
		want string
	}{
		{
			name: "bind",
			make: func() ([]byte, error) { return bindRequest(0x1234, config) },
			want: `
				48 00 00 00 01 04 05 00 0a 09 08 07 00 00 00 00
				00 00 12 34
				05 00 01 00 01 00 00 00
				0a 00 02 00 00 00 00 80 02 00 00 00
				08 00 03 00 00 02 00 00
				08 00 04 00 00 00 00 32
				08 00 05 00 00 00 ff ff
				06 00 06 00 00 01 00 00
			`,
		},
		{
			name: "unbind",
			make: func() ([]byte, error) { return unbindRequest(100) },
			want: `
				1c 00 00 00 01 04 05 00 0a 09 08 07 00 00 00 00
				00 00 00 64
				05 00 01 00 02 00 00 00
			`,
		},
		{
			name: "probe",
			make: probeRequest,
			want: `
				14 00 00 00 ff 04 05 00 0a 09 08 07 00 00 00 00
				00 00 00 00
			`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.make()
			if err != nil {
				t.Fatalf("failed to make request: %v", err)
			}
			setSequence(got, 0x0708090a)
			want, err := hex.DecodeString(strings.Join(strings.Fields(tt.want), ""))
			if err != nil {
				t.Fatalf("failed to decode hexadecimal: %v", err)
			}
			if diff := cmp.Diff(NativeOrder(want), got); diff != "" {
				t.Errorf("unexpected request (-want +got):\n%s", diff)
			}
		})
	}
}

// ack returns the kernel's acknowledgement of a request, which includes the header of the request.
func ack(sequence uint32, errno syscall.Errno) []byte {
	b := make([]byte, 36)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], 2) // NLMSG_ERROR
	binary.NativeEndian.PutUint32(b[8:], sequence)
	binary.NativeEndian.PutUint32(b[16:], -uint32(errno))
	binary.NativeEndian.PutUint32(b[20:], 20)
	binary.NativeEndian.PutUint32(b[28:], sequence)
	return b
}

func TestParseAck(t *testing.T) {
	done := ack(3, 0)
	binary.NativeEndian.PutUint16(done[4:], 3) // NLMSG_DONE
	tests := []struct {
		name     string
		datagram []byte
		want     syscall.Errno
		ok       bool
	}{
		{name: "success", datagram: ack(3, 0), ok: true},
		{name: "error", datagram: ack(3, syscall.EPERM), want: syscall.EPERM, ok: true},
		{name: "high error", datagram: ack(3, 524), want: 524, ok: true}, // ENOTSUPP, which only the kernel defines
		{name: "only the errno", datagram: ack(3, syscall.EINVAL)[:20], want: syscall.EINVAL, ok: true},
		{name: "truncated", datagram: ack(3, 0)[:19]},
		{name: "of another request", datagram: ack(4, 0)},
		{name: "another type", datagram: done},
		{name: "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			errno, ok := parseAck(tt.datagram, 3)
			if errno != tt.want || ok != tt.ok {
				t.Errorf("unexpected acknowledgement: %d, %t, want %d, %t", errno, ok, tt.want, tt.ok)
			}
		})
	}
}

// FuzzParseAck looks for an acknowledgement in any datagram.
func FuzzParseAck(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	f.Add(ack(1, 0), uint32(1))
	f.Add(ack(1, syscall.EPERM), uint32(2))
	f.Add(ack(1, syscall.EPERM)[:18], uint32(1))
	f.Fuzz(func(t *testing.T, datagram []byte, sequence uint32) {
		errno, ok := parseAck(datagram, sequence)
		if !ok {
			if errno != 0 {
				t.Errorf("unexpected errno without an acknowledgement: %d, want 0", errno)
			}
			return
		}
		// Type and sequence number must match, and the errno must be complete.
		want := ack(sequence, errno)
		if len(datagram) < 20 || !bytes.Equal(datagram[4:6], want[4:6]) || !bytes.Equal(datagram[8:12], want[8:12]) ||
			!bytes.Equal(datagram[16:20], want[16:20]) {
			t.Errorf("unexpected acknowledgement of errno %d in %x", errno, datagram)
		}
	})
}
