// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/rand/v2"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// seededRand returns random numbers that are the same each time.
func seededRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// randomKeys returns n keys in random order. Their origins are numbered as a decoder numbers them, and each has several
// protocols.
func randomKeys(r *rand.Rand, n int) []key {
	const protocols = 4
	var keys []key
	for i := range (n + protocols - 1) / protocols {
		origin := &nflog.Origin{Index: i}
		for p := range packet.Protocol(protocols - 1) {
			keys = append(keys, key{origin: origin, protocol: p<<16 | 6})
		}
		keys = append(keys, key{origin: origin, protocol: packet.Protocol(r.Uint32N(1 << 16))})
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys[:n]
}

func findKey(x *keyIndex, k key) *labelSet {
	if len(x.optionals) > 0 {
		return x.findOptional(k.origin, k.protocol, k.optional)
	}
	return x.find(k.origin, k.protocol)
}

func addKey(x *keyIndex, k key) *labelSet {
	set := &labelSet{}
	x.add(&k, set)
	return set
}

func TestKeyIndexGrows(t *testing.T) { testKeyIndexGrows(t, false) }

// TestKeyIndexGrowsOptional does the same with optional values, of which each origin and protocol have several.
func TestKeyIndexGrowsOptional(t *testing.T) { testKeyIndexGrows(t, true) }

func testKeyIndexGrows(t *testing.T, byOptional bool) {
	const n = 10_000
	r := seededRand()
	keys := randomKeys(r, 2*n)
	if byOptional {
		// Half of the keys differ from another by mark alone.
		for i := range keys[:n] {
			keys[n+i] = keys[i]
			keys[n+i].optional.mark = 1
		}
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	}
	known, unknown := keys[:n], keys[n:]

	x := newKeyIndex(byOptional)
	sets := make([]*labelSet, n)
	for i, k := range known {
		if findKey(x, k) != nil {
			t.Fatalf("key %d is found before it was added", i)
		}
		sets[i] = addKey(x, k)
		if findKey(x, k) != sets[i] {
			t.Fatalf("key %d is not found after it was added", i)
		}
		// An earlier one, as the index may have grown.
		if j := r.IntN(i + 1); findKey(x, known[j]) != sets[j] {
			t.Fatalf("key %d is not found after key %d was added", j, i)
		}
	}
	if x.used != n {
		t.Errorf("%d keys are in use, want %d", x.used, n)
	}
	if len(x.slots) < 2*n || len(x.slots) > 4*n {
		t.Errorf("%d slots for %d keys, want twice to four times as many", len(x.slots), n)
	}
	for _, i := range r.Perm(n) {
		if findKey(x, known[i]) != sets[i] {
			t.Fatalf("key %d is not found after all were added", i)
		}
	}
	for i, k := range unknown {
		if findKey(x, k) != nil {
			t.Fatalf("unknown key %d is found", i)
		}
	}
}

// TestKeyIndexSpreads checks that keys of usual packets spread over the slots, even if there are as many as a table
// remembers at least.
func TestKeyIndexSpreads(t *testing.T) {
	tests := []struct {
		name string
		keys func(i int) key
	}{
		{name: "one protocol", keys: func(i int) key { return key{origin: &nflog.Origin{Index: i}, protocol: 6} }},
		{name: "one EtherType", keys: func(i int) key {
			return key{origin: &nflog.Origin{Index: i}, protocol: packet.Protocol(1<<16 | 0x0806)}
		}},
		{name: "two protocols", keys: func(i int) key {
			return key{origin: &nflog.Origin{Index: i / 2}, protocol: packet.Protocol(6 + i%2*11)}
		}},
		{name: "all protocols", keys: func(i int) key {
			return key{origin: &nflog.Origin{Index: i / 256}, protocol: packet.Protocol(i % 256)}
		}},
		{name: "all EtherTypes", keys: func(i int) key {
			return key{origin: &nflog.Origin{}, protocol: packet.Protocol(1<<16 | i)}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newKeyIndex(false)
			for i := range minKeys {
				addKey(x, tt.keys(i))
			}
			// The longest run of slots in use bounds how long a search takes.
			longest, run := 0, 0
			for _, s := range append(x.slots, x.slots...) {
				if s.set == nil {
					run = 0
					continue
				}
				run++
				longest = max(longest, run)
			}
			const limit = 200 // random slots make about 50
			if longest > limit {
				t.Errorf("%d slots in a row are in use, want no more than %d", longest, limit)
			}
		})
	}
}

// TestKeyIndexEqualHashes adds keys with the same hash: after very many origins, a decoder numbers them from 0 again.
func TestKeyIndexEqualHashes(t *testing.T) {
	x := newKeyIndex(false)
	keys := make([]key, 200)
	sets := make([]*labelSet, len(keys))
	for i := range keys {
		keys[i] = key{origin: &nflog.Origin{Index: 7}, protocol: 6}
		if findKey(x, keys[i]) != nil {
			t.Fatalf("key %d is found before it was added", i)
		}
		sets[i] = addKey(x, keys[i])
	}
	for i, k := range keys {
		if findKey(x, k) != sets[i] {
			t.Errorf("key %d is not found", i)
		}
	}
}

func TestKeyIndexClear(t *testing.T) {
	keys := randomKeys(seededRand(), 1000)
	x := newKeyIndex(false)
	for range 3 {
		for _, k := range keys {
			if findKey(x, k) != nil {
				t.Fatal("a key is found in an empty index")
			}
			addKey(x, k)
		}
		x.clear()
		if x.used != 0 || len(x.slots) != minKeySlots {
			t.Errorf("%d keys in %d slots are left, want none in %d", x.used, len(x.slots), minKeySlots)
		}
	}
}

func TestKeyIndexAllocations(t *testing.T) {
	r := seededRand()
	keys := randomKeys(r, 2000)
	known, unknown := keys[:1000], keys[1000:]
	x := newKeyIndex(false)
	for _, k := range known {
		addKey(x, k)
	}
	allocations := testing.AllocsPerRun(1000, func() {
		n := r.IntN(len(known))
		findKey(x, known[n])
		findKey(x, unknown[n])
	})
	if allocations != 0 {
		t.Errorf("%v allocations to find a key", allocations)
	}
}
