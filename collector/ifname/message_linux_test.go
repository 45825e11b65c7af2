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

func TestParseLink(t *testing.T) {
	// attribute returns an attribute with this length in its header.
	attribute := func(length, typ uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, length)
		b = binary.NativeEndian.AppendUint16(b, typ)
		return append(b, value...)
	}
	name := attribute(7, unix.IFLA_IFNAME, 'l', 'o', 0, 0)
	mtu := attribute(8, unix.IFLA_MTU, 1, 2, 3, 4)
	alias := attribute(8, unix.IFLA_IFALIAS, 'w', 'a', 'n', 0)

	tests := []struct {
		name       string
		attributes []byte
		want       link
	}{
		{name: "none", attributes: nil, want: link{}},
		{name: "name", attributes: name, want: link{name: "lo"}},
		{name: "name after another", attributes: slices.Concat(mtu, name), want: link{name: "lo", whole: true}},
		{name: "name before another", attributes: slices.Concat(name, mtu), want: link{name: "lo", whole: true}},
		{name: "another", attributes: mtu, want: link{whole: true}},
		{name: "alias", attributes: slices.Concat(name, mtu, alias), want: link{name: "lo", alias: "wan", whole: true}},
		{name: "alias before a broken attribute", attributes: slices.Concat(name, mtu, alias, []byte{1, 0, 0, 0}), want: link{name: "lo", alias: "wan"}},
		{name: "empty name", attributes: attribute(4, unix.IFLA_IFNAME), want: link{}},
		{name: "too short", attributes: attribute(2, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: link{}},
		{name: "too long", attributes: attribute(80, unix.IFLA_IFNAME, 'l', 'o', 0, 0), want: link{}},
		{name: "half a header", attributes: []byte{7, 0}, want: link{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseLink(tt.attributes), cmp.AllowUnexported(link{})); diff != "" {
				t.Errorf("unexpected link (-want +got):\n%s", diff)
			}
		})
	}
}
