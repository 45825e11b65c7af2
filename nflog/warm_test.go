// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// kinds returns all kinds of messages: those of the captures, and some that no kernel sends.
func kinds() [][]byte {
	nested := func(attributes ...[]byte) []byte { return attr(attrVLAN|flagNested, slices.Concat(attributes...)...) }
	all := [][]byte{
		packet(),
		packet(header()),
		packet(number(1)),
		packet(header(), number(1)),
		packet(header(), number(1), attr(attrPayload)),
		packet(header(), number(1), attr(attrPayload, 1, 2, 3)),
		packet(header(), number(1), attr(attrPayload, 1, 2, 3), attr(attrMark, be32(1)...)),
		packet(header(), number(1), withAttrLength(attr(attrPayload, 1, 2, 3), 9)),
		packet(header(), number(1), withAttrLength(attr(attrPayload, 1, 2, 3), 3)),
		packet(header(), number(1), attr(attrHWHeader, 1, 2, 3)),
		packet(number(1), attr(attrPayload, 1, 2, 3), header()),
		packet(header(), attr(99, 1, 2), number(1), attr(0)),
		packet(header(), number(1), attr(attrMark, be32(1)...), attr(attrMark, be32(2)...)),
		packet(header(), number(1), attr(attrMark, 1, 2, 3)),
		packet(header(), number(1), nested(attr(attrVLANProtocol, 0x81, 0), attr(attrVLANTCI, 0, 1))),
		packet(header(), number(1), nested(attr(attrVLANTCI, 0, 1), attr(77))),
		packet(header(), number(1), nested(attr(attrVLANTCI, 0))),
		packet(header(), number(1), nested()),
		packet(attr(attrInDev, be32(1)...), header(), number(1)),
		packet(header(), number(1), attr(attrPrefix, []byte("late\x00")...), attr(attrOutDev, be32(1)...)),
		packet(header(), slices.Repeat(attr(99), 40), number(1)),
		packet(header(), slices.Repeat(attr(attrInDev, be32(1)...), 40), number(1)),
		packet(header(), number(1), slices.Repeat(attr(attrMark, be32(1)...), 40)),
		packet(header(), number(1), slices.Repeat(attr(attrMark, be32(1)...), 40), attr(attrUID, be32(2)...)),
		packet(header(), number(1), slices.Repeat(attr(attrMark, be32(1)...), 40), attr(attrGID, be32(2)...)),
		message(typeDone, be32(0)),
		message(typeError, be32(0), make([]byte, 16)),
		message(0x0402, []byte{2, 0, 0, group}),
		message(typePacket, []byte{2, 0, 0, group + 1}, header(), number(1)),
	}
	for n := range 20 { // many layouts of one origin
		all = append(all, packet(header(), number(1), attr(99, make([]byte, 4*n)...)))
	}
	for _, c := range captures() {
		for _, v := range c.want {
			v.Group = group
			all = append(all, v.message().Append(nil))
		}
	}
	return all
}

// randomMessage returns a message with a random selection of the kernel's attributes, a prefix of random length
// and a random payload.
func randomMessage(r *rand.Rand) []byte {
	m := nflogtest.Message{
		Group: group, Family: 2, HWProtocol: 0x0800, Hook: uint8(r.IntN(5)), Seq: r.Uint32(),
		Prefix: "prefix "[:r.IntN(8)], Ethernet: r.IntN(2) == 0, Owner: r.IntN(2) == 0,
		Payload: make([]byte, r.IntN(70)),
	}
	for _, field := range []*uint32{&m.InDev, &m.OutDev, &m.PhysInDev, &m.PhysOutDev, &m.Mark, &m.SeqGlobal} {
		if r.IntN(2) == 0 {
			*field = 1 + r.Uint32N(3)
		}
	}
	if r.IntN(2) == 0 {
		m.Timestamp, m.Micros = uint64(r.Uint32()), uint64(r.IntN(1e6))
	}
	if r.IntN(4) == 0 {
		m.VLAN, m.L2Header = uint16(r.Uint32()), make([]byte, 14)
	}
	for i := range m.Payload {
		m.Payload[i] = byte(r.Uint32())
	}
	return m.Append(nil)
}

// TestDecodeWarm decodes many kinds of messages in random order with one decoder, and each with a new decoder.
// Some messages repeat and others don't, so the caches of templates and layouts hit and miss.
func TestDecodeWarm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := kinds()
	for range 30 {
		kinds = append(kinds, randomMessage(r))
	}
	warm := newNumbered()
	for range 500 {
		var datagram []byte
		for range 1 + r.IntN(8) {
			m := randomMessage(r)
			if r.IntN(3) > 0 {
				m = kinds[r.IntN(len(kinds))]
			}
			datagram = append(datagram, slices.Concat(slices.Repeat([][]byte{m}, 1+r.IntN(4))...)...)
		}
		want, _ := decodeAlone(datagram)
		if diff := diffPackets(want, decode(warm, datagram)); diff != "" {
			t.Fatalf("unexpected packets (-want +got):\n%s\nof datagram %x", diff, datagram)
		}
	}
}

func TestDecodePayloadLengths(t *testing.T) {
	d := nflog.NewDecoder(group)
	for n := range 600 {
		// Alternate, so that consecutive payloads differ in length.
		if n%2 == 1 {
			n = 600 - n
		}
		want := goodValues(0)
		want.Payload = nil
		if n > 0 {
			want.Payload = make([]byte, n)
			want.Payload[n-1] = 1
		}
		got := decode(d, want.message().Append(nil))
		if diff := diffPackets([]values{want}, got); diff != "" {
			t.Fatalf("unexpected packet with %d bytes (-want +got):\n%s", n, diff)
		}
	}
}

// sink uses results, so that the compiler does not remove their computation.
var sink int

// use calls methods of a packet and keeps nothing.
func use(p nflog.Packet) {
	protocol, tci, _ := p.VLANTag()
	mark, _ := p.Mark()
	timestamp, _ := p.Timestamp()
	sink += int(p.Origin().InDev) + int(protocol) + int(tci) + int(mark) + timestamp.Nanosecond() + len(p.Payload()) + len(p.HWAddr())
}

func TestDecodeAllocations(t *testing.T) {
	benchmark, _ := nflogtest.Datagram(group)
	var many []byte
	for i := range 400 {
		many = nflogtest.Message{
			Group: group, Family: 2, Prefix: fmt.Sprintf("rule %d", i%100), InDev: uint32(i % 3),
			Mark: uint32(i % 2), Owner: i%4 > 1, Ethernet: i%8 > 3, Payload: make([]byte, i),
		}.Append(many)
	}
	for name, datagram := range map[string][]byte{
		"few layouts":  benchmark,
		"many layouts": many,
		"not a packet": message(typeDone, be32(0)),
		"malformed":    packet(header()),
	} {
		t.Run(name, func(t *testing.T) {
			d := nflog.NewDecoder(group)
			n := testing.AllocsPerRun(10, func() {
				for p := range d.Decode(datagram).Packets() {
					use(p)
				}
			})
			if n != 0 {
				t.Errorf("unexpected allocations: %v per datagram", n)
			}
		})
	}
}

// TestDecodeMemory decodes packets that all differ, and more of them than a decoder remembers.
func TestDecodeMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("measures memory, of 300,000 packets")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for name, randomPacket := range map[string]func() []byte{
		"origins": func() []byte {
			return packet(header(), attr(attrPrefix, fmt.Appendf(nil, "%0*d", 20+r.IntN(90), r.Uint64())...), number(0))
		},
		"layouts": func() []byte {
			return packet(header(), number(0), attr(uint16(22+r.IntN(1<<13)), make([]byte, r.IntN(50))...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := nflog.NewDecoder(group)
			decodeMany := func(n int) {
				for range n {
					for range d.Decode(randomPacket()).Packets() {
						sink++
					}
				}
			}
			heap := func() int {
				runtime.GC()
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				return int(stats.HeapAlloc)
			}
			decodeMany(50_000)
			before := heap()
			decodeMany(100_000)
			if growth := heap() - before; growth > 8<<20 {
				t.Errorf("unexpected growth of the heap: %d bytes", growth)
			}
			if stats := d.Stats(); stats.Packets != 150_000 {
				t.Errorf("unexpected stats: %+v, want 150,000 packets", stats)
			}
		})
	}
}
