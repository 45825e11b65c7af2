// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// addressMessage returns an address message of interface 7.
func addressMessage(family, bits byte, attributes ...[]byte) []byte {
	b := []byte{family, bits, 0, 0}
	b = binary.NativeEndian.AppendUint32(b, 7)
	for _, a := range attributes {
		b = append(b, a...)
	}
	return b
}

// addressAttribute returns an attribute with an address.
func addressAttribute(typ uint16, addr string) []byte {
	value := netip.MustParseAddr(addr).AsSlice()
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	return append(b, value...)
}

func TestParseAddress(t *testing.T) {
	tests := []struct {
		name    string
		message []byte
		want    []string
	}{
		{name: "nothing", message: nil},
		{name: "half a header", message: []byte{2, 24, 0}},
		{name: "no attribute", message: addressMessage(2, 24)},
		{name: "IPv4", message: addressMessage(2, 24, addressAttribute(unix.IFA_ADDRESS, "10.42.0.1"), addressAttribute(unix.IFA_LOCAL, "10.42.0.1")), want: []string{"10.42.0.0/24"}},
		{name: "IPv6", message: addressMessage(10, 64, addressAttribute(unix.IFA_ADDRESS, "2001:db8::1")), want: []string{"2001:db8::/64"}},
		{name: "tunnel of IPv4", message: addressMessage(2, 32, addressAttribute(unix.IFA_ADDRESS, "10.0.0.2"), addressAttribute(unix.IFA_LOCAL, "10.0.0.1")), want: []string{"10.0.0.2/32", "10.0.0.1/32"}},
		{name: "tunnel of IPv6", message: addressMessage(10, 128, addressAttribute(unix.IFA_ADDRESS, "fd00::2"), addressAttribute(unix.IFA_LOCAL, "fd00::1")), want: []string{"fd00::2/128", "fd00::1/128"}},
		{name: "link-local of IPv4", message: addressMessage(2, 16, addressAttribute(unix.IFA_ADDRESS, "169.254.1.1")), want: []string{"169.254.0.0/16"}},
		{name: "link-local of IPv6", message: addressMessage(10, 64, addressAttribute(unix.IFA_ADDRESS, "fe80::1"))},
		{name: "link-local tunnel", message: addressMessage(10, 64, addressAttribute(unix.IFA_ADDRESS, "fe80::1"), addressAttribute(unix.IFA_LOCAL, "fe80::2"))},
		{name: "whole Internet", message: addressMessage(2, 0, addressAttribute(unix.IFA_ADDRESS, "10.0.0.1")), want: []string{"0.0.0.0/0"}},
		{name: "too many bits", message: addressMessage(2, 33, addressAttribute(unix.IFA_ADDRESS, "10.0.0.1"))},
		{name: "address of another family", message: addressMessage(2, 24, addressAttribute(unix.IFA_ADDRESS, "fd00::1"))},
		{name: "another family", message: addressMessage(5, 24, addressAttribute(unix.IFA_ADDRESS, "10.0.0.1"))},
		{name: "attribute cut", message: addressMessage(2, 24, addressAttribute(unix.IFA_ADDRESS, "10.0.0.1")[:6])},
		{name: "attribute of a wrong length", message: addressMessage(2, 24, []byte{6, 0, 1, 0, 10, 0, 0, 0})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			index, networks := parseAddress(tt.message)
			var got []string
			for _, p := range networks {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected networks (-want +got):\n%s", diff)
			}
			if len(networks) > 0 && index != 7 {
				t.Errorf("the interface is %d", index)
			}
		})
	}
}

// FuzzParseAddress checks that each network of an address message is one, and not link-local and of IPv6.
func FuzzParseAddress(f *testing.F) {
	f.Add(addressMessage(2, 24, addressAttribute(unix.IFA_ADDRESS, "10.42.0.1"), addressAttribute(unix.IFA_LOCAL, "10.42.0.1")))
	f.Add(addressMessage(10, 64, addressAttribute(unix.IFA_ADDRESS, "fe80::1")))
	f.Add(addressMessage(10, 128, addressAttribute(unix.IFA_ADDRESS, "fd00::2"), addressAttribute(unix.IFA_LOCAL, "fd00::1")))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, message []byte) {
		_, networks := parseAddress(message)
		if len(networks) > 2 {
			t.Errorf("%d networks", len(networks))
		}
		for _, p := range networks {
			if !p.IsValid() || p != p.Masked() || p.Addr().Is4() != (message[0] == unix.AF_INET) {
				t.Errorf("network %v", p)
			}
		}
	})
}

// address adds an address to an interface, or removes it.
func (l *kernelLinks) address(index uint32, address string, remove bool) {
	l.t.Helper()
	p := netip.MustParsePrefix(address)
	m := &rtnetlink.AddressMessage{
		Family: unix.AF_INET6, PrefixLength: uint8(p.Bits()), Index: index,
		Attributes: &rtnetlink.AddressAttributes{Address: p.Addr().AsSlice(), Local: p.Addr().AsSlice()},
	}
	if p.Addr().Is4() {
		m.Family = unix.AF_INET
	}
	change := l.conn.Address.New
	if remove {
		change = l.conn.Address.Delete
	}
	if err := change(m); err != nil {
		l.t.Fatalf("change the address %s of interface %d: %v", address, index, err)
	}
}

// waitNetworks waits until the interface with a name has these networks, at most as long as a user should.
func waitNetworks(t *testing.T, in *Names, name string, want ...string) {
	t.Helper()
	kerneltest.Eventually(t, 10*time.Second, func() error {
		var got []string
		for _, p := range in.Networks(name) {
			got = append(got, p.String())
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("the networks of %s are %v, want %v", name, got, want)
		}
		return nil
	})
}

// TestIntegrationAddresses follows the addresses of interfaces that come, go and are renamed.
func TestIntegrationAddresses(t *testing.T) {
	l := newKernelLinks(t)
	l.veth("cni0", 100)
	l.address(100, "10.42.0.1/24", false)
	in := l.open()
	if got := in.Networks("cni0"); got != nil {
		t.Errorf("the networks are %v before they are followed", got)
	}
	in.FollowAddresses()
	in.FollowAddresses()
	if got := in.Networks("cni0"); len(got) != 1 {
		t.Errorf("the networks are %v at first", got)
	}

	before := in.Generation()
	began := time.Now()
	l.address(100, "fd00:42::1/64", false)
	waitNetworks(t, in, "cni0", "10.42.0.0/24", "fd00:42::/64")
	if took := time.Since(began); took > time.Second {
		t.Errorf("the new address was known after %v", took)
	}
	if in.Generation() == before {
		t.Error("the generation has not changed")
	}
	l.address(100, "10.42.0.1/24", true)
	waitNetworks(t, in, "cni0", "fd00:42::/64")
	l.rename(100, "cni1")
	waitNetworks(t, in, "cni1", "fd00:42::/64")
	waitNetworks(t, in, "cni0")

	for i := range uint32(300) {
		l.address(100, fmt.Sprintf("10.%d.%d.1/24", 100+i/256, i%256), false)
	}
	kerneltest.Eventually(t, 10*time.Second, func() error {
		if n := len(in.Networks("cni1")); n != 301 {
			return fmt.Errorf("%d networks are known, want 301", n)
		}
		return nil
	})
	l.delete(100)
	waitNetworks(t, in, "cni1")
	l.veth("other", 200)
	l.address(200, "10.200.0.1/24", false)
	waitNetworks(t, in, "other", "10.200.0.0/24")
	in.Close()
	in.FollowAddresses()
}
