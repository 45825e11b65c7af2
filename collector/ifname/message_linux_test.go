// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestLinkName(t *testing.T) {
	// attribute returns an attribute with this length in its header.
	attribute := func(length, typ uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, length)
		b = binary.NativeEndian.AppendUint16(b, typ)
		return append(b, value...)
	}
	name := attribute(7, unix.IFLA_IFNAME, 'l', 'o', 0, 0)
	mtu := attribute(8, unix.IFLA_MTU, 1, 2, 3, 4)

	tests := []struct {
		name       string
		attributes []byte
		want       string
	}{
		{name: "none", attributes: nil, want: ""},
		{name: "name", attributes: name, want: "lo"},
		{name: "name after another", attributes: slices.Concat(mtu, name), want: "lo"},
		{name: "name before another", attributes: slices.Concat(name, mtu), want: "lo"},
		{name: "another", attributes: mtu, want: ""},
		{name: "empty name", attributes: attribute(4, unix.IFLA_IFNAME), want: ""},
		{name: "too short", attributes: attribute(2, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: ""},
		{name: "too long", attributes: attribute(80, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: ""},
		{name: "half a header", attributes: []byte{7, 0}, want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, linkName(tt.attributes)); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}
