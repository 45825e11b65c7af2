// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/rand/v2"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkSender counts the packets of a neighbour that makes up protocols at random: transport protocols, and EtherTypes, each of which
// is an origin of its own to the decoder.
func BenchmarkSender(b *testing.B) {
	for _, bb := range []struct {
		name    string
		message func(r *rand.Rand) nflogtest.Message
	}{
		{"protocols", func(r *rand.Rand) nflogtest.Message {
			m := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.UDP(228, 128)}
			m.Payload[9] = byte(r.Uint32())
			return m
		}},
		{"EtherTypes", func(r *rand.Rand) nflogtest.Message {
			return nflogtest.Message{Family: 5, HWProtocol: uint16(r.Uint32()), Payload: make([]byte, 46)}
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			const datagrams, packets = 200, 1000
			r := seededRand()
			var all [][]byte
			for range datagrams {
				var datagram []byte
				for i := range packets {
					m := bb.message(r)
					m.Group, m.Seq, m.Prefix, m.InDev = 100, uint32(i), "fw zone drop: ", 1
					datagram = m.Append(datagram)
				}
				all = append(all, nflogtest.Done(datagram))
			}
			f := newFeed(b, Config{})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f.countDatagram(all[i%datagrams])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
		})
	}
}
