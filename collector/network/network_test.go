// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// network returns a network with these CIDRs.
func network(name string, cidrs ...string) Network {
	n := Network{Name: name}
	for _, s := range cidrs {
		n.CIDRs = append(n.CIDRs, netip.MustParsePrefix(s))
	}
	return n
}

// byAddress returns a network that shows at most that many addresses.
func byAddress(n Network, most int) Network {
	n.ByAddress, n.MaxAddresses = true, most
	return n
}

func newResolver(t testing.TB, networks ...Network) *Resolver {
	t.Helper()
	set, err := NewSet(networks)
	if err != nil {
		t.Fatal(err)
	}
	return NewResolver(set)
}

func valueOf(r *Resolver, addr string) string { return r.Value(r.ID(netip.MustParseAddr(addr))) }

// checkValues compares the values of addresses, each twice, as the second comes from the cache.
func checkValues(t *testing.T, r *Resolver, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for range 2 {
		for addr := range want {
			got[addr] = valueOf(r, addr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected values (-want +got):\n%s", diff)
		}
	}
}

// TestClasses checks addresses of each row of IANA's registries, and addresses beside them.
func TestClasses(t *testing.T) {
	checkValues(t, newResolver(t), map[string]string{
		"8.8.8.8": public, "1.0.0.0": public, "223.255.255.255": public, "11.0.0.0": public, "9.255.255.255": public,
		"0.0.0.0": unspecified, "0.1.2.3": unspecified,
		"10.0.0.0": private, "10.255.255.255": private, "172.16.0.0": private, "172.31.255.255": private, "172.32.0.0": public,
		"172.15.255.255": public, "192.168.0.1": private, "192.169.0.0": public,
		"100.64.0.0": shared, "100.127.255.255": shared, "100.128.0.0": public, "100.63.255.255": public,
		"127.0.0.1": loopback, "127.255.255.255": loopback, "128.0.0.0": public,
		"169.254.0.1": linkLocal, "169.255.0.0": public,
		"192.0.0.1": reserved, "192.0.0.8": reserved, "192.0.0.9": public, "192.0.0.10": public, "192.0.0.170": reserved, "192.0.1.0": public,
		"192.0.2.1": documentation, "198.51.100.1": documentation, "203.0.113.1": documentation,
		"192.31.196.1": public, "192.52.193.1": public, "192.88.99.1": public, "192.175.48.1": public,
		"198.18.0.0": reserved, "198.19.255.255": reserved, "198.20.0.0": public,
		"224.0.0.1": multicast, "239.255.255.255": multicast, "240.0.0.1": reserved, "255.255.255.254": reserved, "255.255.255.255": broadcast,

		"::": unspecified, "::1": loopback, "::2": reserved, "::ffff:10.0.0.1": reserved,
		"64:ff9b::8.8.8.8": public, "64:ff9b:1::1": private, "100::1": reserved, "100:0:0:1::1": reserved,
		"2001::1": public, "2001:1::1": public, "2001:1::2": public, "2001:1::3": public, "2001:1::4": reserved, "2001:2::1": reserved,
		"2001:3::1": public, "2001:4:112::1": public, "2001:10::1": reserved, "2001:20::1": public, "2001:30::1": public,
		"2001:200::1": public, "2001:db8::1": documentation, "2002::1": public, "2606:4700::1": public, "2620:4f:8000::1": public,
		"3fff::1": documentation, "3fff:1000::": public, "4000::1": reserved, "5f00::1": reserved,
		"fc00::1": private, "fdff::1": private, "fe80::1": linkLocal, "febf::1": linkLocal, "fec0::1": private, "ff02::1": multicast,
	})
}

func TestLongestPrefix(t *testing.T) {
	r := newResolver(t, network("a", "10.0.0.0/8", "2001:db8::/32"), network("b", "10.1.0.0/16"), network("c", "10.1.2.3/32", "2001:db8::1/128"), network(`d\`, "198.51.100.0/24"))
	checkValues(t, r, map[string]string{
		"10.0.0.1": "a", "10.1.0.1": "b", "10.1.2.3": "c", "10.1.2.4": "b", "2001:db8::1": "c", "2001:db8::2": "a",
		"8.8.8.8": Other, "2001:db9::": Other, "::ffff:10.0.0.1": Other, "198.51.100.1": `d\\`,
	})
	if got := r.Value(0); got != "" {
		t.Errorf("no address has the value %q", got)
	}
}

// TestClassesBesideOthers checks that other networks come before classes with the same prefix.
func TestClassesBesideOthers(t *testing.T) {
	r := newResolver(t, append(Classes(), network("lan", "192.168.0.0/16"), network("vpn", "10.8.0.0/24"))...)
	checkValues(t, r, map[string]string{"192.168.1.1": "lan", "10.8.0.1": "vpn", "10.9.0.1": private, "8.8.8.8": public})
}

func TestNewSetRefuses(t *testing.T) {
	for _, networks := range [][]Network{
		{network("")},
		{network("other")},
		{network("10.0.0.1")},
		{network("fe80::1%eth0")},
		{network(strings.Repeat("x", MaxName+1))},
		{network("a"), network("a")},
		append(Classes(), network("public")), make([]Network, MaxNetworks+1),
	} {
		if _, err := NewSet(networks); err == nil {
			t.Errorf("no error for %v", networks)
		}
	}
}

// TestByAddress checks that a network shows no more addresses than it may, and new ones once others have not come for 15 minutes.
func TestByAddress(t *testing.T) {
	r := newResolver(t, byAddress(network("lan", "10.0.0.0/24", "fd00::/64"), 3), byAddress(network("pods", "10.42.0.0/16"), 1), network("vpn", "10.0.0.128/25"))
	now := time.Unix(1_800_000_000, 0)
	r.MakeRoom(now)
	checkValues(t, r, map[string]string{"10.0.0.1": "10.0.0.1", "fd00::1": "fd00::1", "10.0.0.129": "vpn", "10.42.0.1": "10.42.0.1"})
	checkValues(t, r, map[string]string{"10.0.0.2": "10.0.0.2"})
	checkValues(t, r, map[string]string{"10.0.0.3": "__overflow__", "fd00::2": "__overflow__", "10.42.0.2": "__overflow__", "10.0.0.2": "10.0.0.2"})

	for range 16 {
		now = now.Add(time.Minute)
		if removed := r.MakeRoom(now); removed != nil {
			t.Errorf("%v were removed after %v", removed, now.Sub(time.Unix(1_800_000_000, 0)))
		}
		checkValues(t, r, map[string]string{"10.0.0.2": "10.0.0.2", "10.0.0.3": "__overflow__"})
		if now.Sub(time.Unix(1_800_000_000, 0)) == 15*time.Minute {
			break
		}
	}
	removed := r.MakeRoom(now.Add(time.Minute))
	slices.Sort(removed)
	if diff := cmp.Diff([]string{"10.0.0.1", "10.42.0.1", "fd00::1"}, removed); diff != "" {
		t.Errorf("unexpected addresses made room (-want +got):\n%s", diff)
	}
	checkValues(t, r, map[string]string{"10.0.0.3": "10.0.0.3", "10.0.0.2": "10.0.0.2", "10.42.0.2": "10.42.0.2"})
	checkValues(t, r, map[string]string{"10.0.0.4": "10.0.0.4"})
	checkValues(t, r, map[string]string{"10.0.0.1": "__overflow__", "10.42.0.3": "__overflow__"})
	if again := r.MakeRoom(now.Add(time.Minute + time.Second)); again != nil {
		t.Errorf("%v were removed a second later", again)
	}
}

// interfaces are networks by the name of an interface.
type interfaces map[string][]netip.Prefix

func (i interfaces) Networks(name string) []netip.Prefix { return i[name] }

func TestFollow(t *testing.T) {
	pods := byAddress(Network{Name: "pods", Interface: "cni0"}, 2)
	networks := append(Classes(), pods, network("db", "10.42.1.0/24", "10.42.7.0/24"), Network{Name: "vpn", Interface: "wg0"})
	r := newResolver(t, networks...)
	checkValues(t, r, map[string]string{"10.42.0.1": private, "10.42.1.1": "db", "192.168.1.1": private})

	r.Follow(interfaces{"cni0": network("", "10.42.0.0/24", "10.42.7.0/24").CIDRs, "wg0": network("", "192.168.0.0/16", "10.42.0.0/24").CIDRs})
	checkValues(t, r, map[string]string{"10.42.0.1": "10.42.0.1", "10.42.1.1": "db", "10.42.7.1": "db", "192.168.1.1": "vpn"})
	checkValues(t, r, map[string]string{"10.42.0.2": "10.42.0.2"})
	checkValues(t, r, map[string]string{"10.42.0.3": "__overflow__"})

	// Another interface changes, and later the one by address. Addresses stay shown, so that the limit holds.
	r.Follow(interfaces{"cni0": network("", "10.42.0.0/24").CIDRs})
	checkValues(t, r, map[string]string{"10.42.0.3": "__overflow__", "10.42.0.1": "10.42.0.1", "192.168.1.1": private})
	r.Follow(interfaces{"cni0": network("", "10.43.0.0/24").CIDRs})
	checkValues(t, r, map[string]string{"10.42.0.1": private, "10.43.0.1": "10.43.0.1"})
	checkValues(t, r, map[string]string{"10.43.0.2": "10.43.0.2"})

	to := newResolver(t, byAddress(Network{Name: "all pods", Interface: "cni0"}, 2), network("office", "192.0.2.0/24"))
	to.Inherit(r)
	checkValues(t, to, map[string]string{"10.43.0.3": "__overflow__", "10.43.0.1": "10.43.0.1", "192.0.2.1": "office", "10.42.0.1": Other})
}

// TestEqualIDs checks that addresses with equal values have equal IDs.
func TestEqualIDs(t *testing.T) {
	r := newResolver(t, byAddress(network("a", "10.0.0.0/24"), 2), byAddress(network("b", "10.1.0.0/24"), 1), network("c", "10.2.0.0/16"))
	ids := make(map[string]ID)
	values := make(map[ID]string)
	for i := range 1024 {
		id := r.ID(netip.AddrFrom4([4]byte{10, byte(i % 4), 0, byte(i / 4 % 8)}))
		value := r.Value(id)
		if old, ok := ids[value]; ok && old != id {
			t.Errorf("%s has the IDs %d and %d", value, old, id)
		}
		if old, ok := values[id]; ok && old != value {
			t.Errorf("ID %d has the values %s and %s", id, old, value)
		}
		ids[value], values[id] = id, value
	}
	if want := 6; len(ids) != want { // two of a, one of b, c, other and __overflow__
		t.Errorf("%d values: %v", len(ids), ids)
	}
}

func TestIDAllocations(t *testing.T) {
	r := newResolver(t, byAddress(network("a", "10.0.0.0/8"), 100), network("b", "2001:db8::/32"))
	n := 5000
	if addr := netip.IPv6Unspecified(); testing.AllocsPerRun(1, func() { _ = addr.AsSlice() }) != 0 {
		// As for MIPS: the compiler does not inline AsSlice, so bart allocates to look up what is not in the caches.
		n = 10
	}
	var addrs []netip.Addr
	for i := range n {
		addrs = append(addrs, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)))
	}
	all := func() {
		for _, a := range addrs {
			r.ID(a)
		}
	}
	all()
	if n := testing.AllocsPerRun(10, all); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzResolver compares the network of an address with that of a search through all CIDRs.
func FuzzResolver(f *testing.F) {
	f.Add([]byte{10, 0, 0, 0, 8, 10, 1, 0, 0, 16}, []byte{10, 1, 2, 3})
	f.Add([]byte{0, 0, 0, 0, 0, 255, 255, 255, 255, 32}, []byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, cidrs, addr []byte) {
		if len(addr) != 4 {
			return
		}
		var networks []Network
		for c := range slices.Chunk(cidrs[:min(len(cidrs), 500)], 5) {
			if len(c) == 5 {
				p, _ := netip.AddrFrom4([4]byte(c)).Prefix(int(c[4] % 33))
				networks = append(networks, Network{Name: fmt.Sprintf("network %d", len(networks)), CIDRs: []netip.Prefix{p}})
			}
		}
		if len(networks) == 0 {
			return
		}
		a, want, longest := netip.AddrFrom4([4]byte(addr)), Other, -1
		for _, n := range networks {
			if p := n.CIDRs[0]; p.Contains(a) && p.Bits() > longest {
				want, longest = n.Name, p.Bits()
			}
		}
		if got := valueOf(newResolver(t, networks...), a.String()); got != want {
			t.Errorf("%v is in %q, want %q", a, got, want)
		}
	})
}
