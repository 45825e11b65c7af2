// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// origins returns the origins of a datagram's packets.
func origins(d *nflog.Decoder, datagram []byte) []*nflog.Origin {
	var all []*nflog.Origin
	for p := range d.Decode(datagram).Packets() {
		all = append(all, p.Origin())
	}
	return all
}

// TestOriginShared decodes packets of two rules. Packets of one rule differ in everything but their origin.
func TestOriginShared(t *testing.T) {
	one := nflogtest.Message{Group: group, Family: 2, HWProtocol: 0x0800, Hook: 1, Prefix: "one ", InDev: 3}
	two := one
	two.Prefix = "two "
	var datagram []byte
	for i := range uint32(100) {
		for _, m := range []nflogtest.Message{one, two} {
			m.Seq, m.Mark, m.UID = 2*i, i%3, i%5
			m.Payload = make([]byte, i%7)
			datagram = m.Append(datagram)
		}
	}
	d := nflog.NewDecoder(group)
	got := append(origins(d, datagram), origins(d, datagram)...)
	for i, o := range got {
		if want := got[i%2]; o != want {
			t.Fatalf("unexpected origin of packet %d: %+v at %p, want %p", i, o, o, want)
		}
	}
	if got[0].Index != 0 || got[1].Index != 1 {
		t.Errorf("unexpected indexes: %d, %d, want 0, 1", got[0].Index, got[1].Index)
	}
}

// TestOriginDiffers decodes packets whose origins differ in one field each.
func TestOriginDiffers(t *testing.T) {
	base := values{
		Group: group, Family: 7, HWProtocol: 0x0800, Hook: 2, Prefix: "prefix", InDev: 1, OutDev: 2, PhysInDev: 3, PhysOutDev: 4,
		Seq: some(uint32(0)),
	}
	all := []values{base}
	for _, change := range []func(*values){
		func(v *values) { v.Family = 5 },
		func(v *values) { v.HWProtocol = 0x86dd },
		func(v *values) { v.Hook = 1 },
		func(v *values) { v.Prefix = "" },
		func(v *values) { v.Prefix = "Prefix" },
		func(v *values) { v.Prefix = "prefiX" },
		func(v *values) { v.Prefix = "prefix " },
		func(v *values) { v.InDev = 9 },
		func(v *values) { v.OutDev = 9 },
		func(v *values) { v.PhysInDev = 9 },
		func(v *values) { v.PhysOutDev = 9 },
		func(v *values) { v.InDev, v.OutDev = 2, 1 },
		func(v *values) { v.InDev = 0 },
		func(v *values) { v.OutDev = 0 },
		func(v *values) { v.PhysInDev, v.PhysOutDev = 0, 0 },
	} {
		v := base
		change(&v)
		all = append(all, v)
	}
	d := nflog.NewDecoder(group)
	for round := range 3 {
		got := decode(d, build(all))
		if diff := diffPackets(all, got); diff != "" {
			t.Errorf("unexpected packets (-want +got):\n%s", diff)
		}
		seen := make(map[*nflog.Origin]bool)
		for i, o := range origins(d, build(all)) {
			if seen[o] || o.Index != i {
				t.Errorf("round %d: unexpected origin of packet %d: index %d, seen before: %v", round, i, o.Index, seen[o])
			}
			seen[o] = true
		}
	}
}

// TestOriginOfEtherTypes decodes packets of all EtherTypes. Those that have no origin of their own share one, for each prefix, and
// each packet tells its own.
func TestOriginOfEtherTypes(t *testing.T) {
	own := map[uint16]bool{0x0800: true, 0x86dd: true, 0x0806: true, 0x8100: true, 0x88a8: true}
	var all []values
	for i := range 1 << 16 {
		for _, prefix := range []string{"one", "another"} {
			all = append(all, values{
				Group: group, Family: 5, HWProtocol: uint16(40503 * i), Prefix: prefix, InDev: 1, Seq: some(uint32(len(all))),
			})
		}
	}
	d := nflog.NewDecoder(group)
	seen := make(map[*nflog.Origin]bool)
	for chunk := range slices.Chunk(all, 1000) {
		datagram := build(chunk)
		for i, o := range origins(d, datagram) {
			want := chunk[i].HWProtocol
			if !own[want] {
				want = 0
			}
			if o.HWProtocol != want || o.Prefix != chunk[i].Prefix {
				t.Fatalf("a packet of EtherType %#x and prefix %q has the origin %+v", chunk[i].HWProtocol, chunk[i].Prefix, o)
			}
			seen[o] = true
		}
	}
	if want := 2 * (len(own) + 1); len(seen) != want {
		t.Errorf("%d origins, want %d", len(seen), want)
	}
	few := all[:2000]
	if diff := diffPackets(few, decode(nflog.NewDecoder(group), build(few))); diff != "" {
		t.Errorf("unexpected packets (-want +got):\n%s", diff)
	}
}

// TestOriginKept keeps an origin and overwrites the datagram that it came from.
func TestOriginKept(t *testing.T) {
	datagram := good(0)
	kept := origins(nflog.NewDecoder(group), datagram)[0]
	clear(datagram)
	got := []any{kept.Group, kept.Family, kept.HWProtocol, kept.Hook, kept.Prefix, kept.InDev}
	want := []any{uint16(group), nflog.FamilyIPv4, uint16(0x0800), uint8(1), "good ", uint32(1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected origin (-want +got):\n%s", diff)
	}
}

// TestOriginLimit decodes packets of more origins than a decoder remembers.
func TestOriginLimit(t *testing.T) {
	d := nflog.NewDecoder(group)
	const many = 100_000
	highest := 0
	byIndex := make(map[int]*nflog.Origin)
	for i := range uint32(many) {
		m := nflogtest.Message{Group: group, Prefix: "p", InDev: 1 + i}
		for _, o := range origins(d, slices.Concat(m.Append(nil), m.Append(nil))) {
			if o.InDev != 1+i {
				t.Fatalf("unexpected origin of packet %d: %+v", i, o)
			}
			if o.Index == 0 {
				clear(byIndex) // the decoder has started over
			}
			if other := byIndex[o.Index]; other != nil && other != o {
				t.Fatalf("index %d belongs to the origin of packet %d and to %+v", o.Index, i, other)
			}
			byIndex[o.Index] = o
			highest = max(highest, o.Index)
		}
	}
	if highest > many/2 {
		t.Errorf("unexpected highest index: %d, want less: the decoder never starts over", highest)
	}
}

// TestOriginOrder decodes two packets of different origins. Sorted by type and without padding, the
// origin attributes of one packet are the same bytes as those of the other in message order.
func TestOriginOrder(t *testing.T) {
	native := func(v int) []byte { return binary.NativeEndian.AppendUint16(nil, uint16(v)) }
	// The prefix looks like the end of an attribute of another interface: the type of the prefix is its
	// length. The padding before it looks like the length of the prefix.
	outDev := append(be32(7), 8, 9)
	prefix := slices.Concat(native(attrOutDev), outDev, []byte{0, 0})
	scattered := packet(header(), number(0), attr(attrPrefix, prefix...), attr(attrInDev, 0, 0, 0, 1, 5, 6))
	together := packet(
		header(),
		withPadding(attr(attrInDev, 0, 0, 0, 1, 5, 6), native(4+len(prefix))...),
		attr(attrOutDev, outDev...),
		number(1),
	)
	for name, order := range map[string][][]byte{
		"scattered first": {scattered, together, scattered, together},
		"together first":  {together, scattered, together, scattered},
	} {
		datagram := slices.Concat(order...)
		want, _ := decodeAlone(datagram)
		if diff := diffPackets(want, decode(nflog.NewDecoder(group), datagram)); diff != "" {
			t.Errorf("%s: unexpected packets (-want +got):\n%s", name, diff)
		}
	}
}

// withPadding overwrites the last bytes of an attribute.
func withPadding(attribute []byte, padding ...byte) []byte {
	copy(attribute[len(attribute)-len(padding):], padding)
	return attribute
}
