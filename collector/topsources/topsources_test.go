// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

var start = time.Unix(1_800_000_000, 0)

// newTracker returns a tracker with hashes that are the same in each run.
func newTracker(config Config, seeds uint64) *Tracker {
	t := New(config, start)
	r := rand.New(rand.NewPCG(seeds, 1))
	t.seed = seed{r.Uint64(), r.Uint64()}
	return t
}

// addrOf returns one of many addresses, of either family.
func addrOf(i uint64, ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 40), byte(i >> 32), byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 8: byte(i * 7)})
	}
	return netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
}

// Count counts a packet from an address.
func (s *Sources) Count(source netip.Addr, length uint32, port uint16, hasPort bool) {
	p := Packet{length, port, hasPort}
	if source.Is4() {
		b := source.As4()
		s.CountIPv4(binary.BigEndian.Uint32(b[:]), p)
		return
	}
	b := source.As16()
	s.CountIPv6(&b, p)
}

// addressOf returns the source that an address belongs to.
func (m mask) addressOf(a netip.Addr) address {
	if a.Is4() {
		b := a.As4()
		return address{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return m.address(&b)
}

// A flood is a number of packets from sources with this distribution.
type flood struct {
	name    string
	packets int
	source  func(*rand.Rand) uint64
}

func floods() []flood {
	zipf := func(s float64, n uint64) func(*rand.Rand) uint64 {
		var z *rand.Zipf
		var of *rand.Rand
		return func(r *rand.Rand) uint64 {
			if of != r {
				z, of = rand.NewZipf(r, s, 1, n), r
			}
			return z.Uint64()
		}
	}
	return []flood{
		{"uniform, few sources", 20_000, func(r *rand.Rand) uint64 { return r.Uint64N(50) }},
		{"uniform, some sources", 50_000, func(r *rand.Rand) uint64 { return r.Uint64N(5000) }},
		{"forged", 200_000, func(r *rand.Rand) uint64 { return r.Uint64() >> 32 }},
		{"skewed", 100_000, zipf(1.1, 100_000)},
		{"very skewed", 100_000, zipf(2, 1_000_000)},
		{"one among forged", 100_000, func(r *rand.Rand) uint64 {
			if r.IntN(20) == 0 {
				return 7
			}
			return r.Uint64() >> 32
		}},
		{"ten among forged", 200_000, func(r *rand.Rand) uint64 {
			if r.IntN(3) == 0 {
				return r.Uint64N(10)
			}
			return r.Uint64() >> 32
		}},
		{"one after another", 100_000, func() func(*rand.Rand) uint64 {
			var i uint64
			return func(*rand.Rand) uint64 { i++; return i / 1000 }
		}()},
	}
}

// TestExactCounts compares reports with exact counts, for floods by several seeds. Time passes meanwhile, so that both panes are full.
func TestExactCounts(t *testing.T) {
	// The bounds hold for any number of packets, so that a tenth of them also tests the arithmetic of a processor.
	seeds, part := uint64(6), 1
	switch {
	case testing.Short():
		seeds, part = 2, 10
	case kerneltest.RaceEnabled():
		seeds = 2
	}
	for _, f := range floods() {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s/%d", f.name, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 2))
				tracker := newTracker(Config{Sources: 20, IPv6Length: 128}, seed)
				s := tracker.Of("", "")
				exact, bytes := make(map[string]uint64), make(map[string]uint64)
				all := uint64(0)
				packets := f.packets / part
				for i := range packets {
					if i%1000 == 0 {
						tracker.Advance(start.Add(Window * time.Duration(i) / time.Duration(packets)))
					}
					a := addrOf(f.source(r), seed%2 == 1)
					length := 40 + uint32(r.IntN(1000))
					s.Count(a, length, 443, true)
					exact[a.String()]++
					bytes[a.String()] += uint64(length)
					all++
				}
				checkReport(t, s.Report(), exact, bytes, all)
			})
		}
	}
}

func checkReport(t *testing.T, r Report, exact, bytes map[string]uint64, all uint64) {
	t.Helper()
	if r.Packets != all {
		t.Errorf("%d packets, want %d", r.Packets, all)
	}
	if float64(r.MaxError) > ErrorBound*float64(all) {
		t.Errorf("the error is up to %d of %d packets", r.MaxError, all)
	}
	if off := math.Abs(r.Distinct/float64(len(exact)) - 1); off > 4*DistinctError {
		t.Errorf("%.0f sources are estimated, there were %d: off by %.1f %%", r.Distinct, len(exact), 100*off)
	}
	listed := make(map[string]bool)
	for _, of := range r.Sources {
		listed[of.Address] = true
		n := exact[of.Address]
		if n < of.AtLeast || n > of.Packets || of.Packets-n > r.MaxError {
			t.Errorf("%s has sent %d packets, told are %d to %d, with an error of up to %d", of.Address, n, of.AtLeast, of.Packets, r.MaxError)
		}
		if of.Bytes > bytes[of.Address] {
			t.Errorf("%s has sent %d bytes, told are %d", of.Address, bytes[of.Address], of.Bytes)
		}
		if diff := cmp.Diff([]string{"registered"}, of.Ports); diff != "" && of.Ports[0] != "well-known" {
			t.Errorf("unexpected ports: %v", of.Ports)
		}
	}
	series := make(map[string]bool)
	for _, e := range r.Series {
		series[e.Address] = true
		if n := exact[e.Address]; e.Packets > n || n-e.Packets > r.MaxError || float64(n) < minShare*float64(all) {
			t.Errorf("%s has a series with %d packets, and has sent %d of %d", e.Address, e.Packets, n, all)
		}
	}
	heavy := 0
	for addr, n := range exact {
		if float64(n) >= (minShare+ErrorBound)*float64(all) && n >= minPackets {
			heavy++
			if heavy <= 20 && len(r.Series) < 20 && (!series[addr] || !listed[addr]) {
				t.Errorf("%s has sent %d of %d packets: listed: %t, series: %t", addr, n, all, listed[addr], series[addr])
			}
		}
	}
	if len(r.Sources) > 20 || len(r.Series) > 20 {
		t.Errorf("%d sources are listed, %d have series", len(r.Sources), len(r.Series))
	}
}

// TestForgedMakesNoSeries checks that a flood in which each source comes once makes no series at any time, and that a report says that
// none stands out.
func TestForgedMakesNoSeries(t *testing.T) {
	tracker := newTracker(Config{Sources: 100}, 1)
	s := tracker.Of("", "")
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 300_000 {
		tracker.Advance(start.Add(time.Duration(i) * time.Millisecond))
		s.Count(addrOf(r.Uint64()>>32, false), 40, 0, false)
		if i < 200 || i%5000 == 0 {
			report := s.Report()
			if len(report.Series) > 0 {
				t.Fatalf("series after %d packets: %v", i+1, report.Series)
			}
			for _, of := range report.Sources {
				if of.StandsOut {
					t.Fatalf("%s stands out after %d packets", of.Address, i+1)
				}
			}
		}
	}
	if report := s.Report(); len(report.Sources) > 0 {
		t.Errorf("sources are listed: %v", report.Sources)
	}
}

// TestSeriesExact checks that series count exactly from their start on, across panes, while a flood goes on, and how long they stay.
func TestSeriesExact(t *testing.T) {
	tracker := newTracker(Config{Sources: 2}, 1)
	s := tracker.Of("drop", "")
	r := rand.New(rand.NewPCG(1, 1))
	now := start
	heavy, exact := addrOf(1, false), uint64(0)
	second := func(packets int) {
		now = now.Add(time.Second)
		tracker.Advance(now)
		for range packets {
			s.Count(heavy, 100, 22, true)
			exact++
		}
		for range 300 {
			s.Count(addrOf(r.Uint64()>>32, false), 40, 0, false)
		}
	}
	for range 10 {
		second(30)
	}
	first := s.Report().Series
	if len(first) != 1 || first[0].Address != "0.0.0.1" || first[0].Packets > exact || first[0].Created.Before(start) || first[0].Created.After(now) {
		t.Fatalf("series: %+v", first)
	}
	missed := exact - first[0].Packets
	for i := range 600 {
		second(i % 40)
		if i%10 == 0 {
			if got := s.Report().Series; len(got) != 1 || got[0].Packets != exact-missed || !got[0].Created.Equal(first[0].Created) {
				t.Fatalf("after %d seconds: series %+v, want one of %d packets since %v", i, got, exact-missed, first[0].Created)
			}
		}
	}
	ended := 0
	for i := range 3600 {
		second(0)
		if i%10 == 0 && len(s.Report().Series) == 0 {
			ended = i
			break
		}
	}
	if want := int((keepTime + Window + paneLen) / time.Second); ended < int(keepTime/time.Second) || ended > want {
		t.Errorf("the series ended %d seconds after the last packet, want %d to %d", ended, int(keepTime/time.Second), want)
	}
}

// TestSeriesChurn changes the heavy sources all the time, and counts series.
func TestSeriesChurn(t *testing.T) {
	tracker := newTracker(Config{Sources: 5}, 1)
	s := tracker.Of("", "")
	seen := make(map[string]bool)
	const hours = 2
	for i := range hours * 3600 {
		tracker.Advance(start.Add(time.Duration(i) * time.Second))
		for range 50 {
			s.Count(addrOf(uint64(i/10), false), 100, 0, false)
		}
		r := s.Report()
		if len(r.Series) > 5 {
			t.Fatalf("%d series at a time", len(r.Series))
		}
		for _, e := range r.Series {
			seen[e.Address] = true
		}
	}
	if most := 5 * (hours*6 + 1); len(seen) > most || len(seen) < 5 {
		t.Errorf("%d series in %d hours, want at most %d", len(seen), hours, most)
	}
}

// TestWindow checks that packets leave the report 2.5 to 5 minutes after they came.
func TestWindow(t *testing.T) {
	tracker := newTracker(Config{Sources: 10, Ports: []uint16{22}}, 1)
	s := tracker.Of("drop", "")
	at := func(seconds int) Report {
		tracker.Advance(start.Add(time.Duration(seconds) * time.Second))
		return s.Report()
	}
	count := func(addr string, n int, port uint16) {
		for range n {
			s.Count(netip.MustParseAddr(addr), 100, port, true)
		}
	}
	at(10)
	count("192.0.2.1", 30, 22)
	at(20)
	count("192.0.2.1", 10, 23)
	count("2001:db8:1:2::3", 20, 50000)
	count("2001:db8:1:2::4", 20, 5000)
	want := Report{
		Prefix: "drop", Since: start, Packets: 80, Distinct: 2,
		Sources: []Source{
			{Address: "192.0.2.1", AtLeast: 40, Packets: 40, Bytes: 4000, Share: 0.5, StandsOut: true, Ports: []string{"22", "well-known"}, First: start.Add(10 * time.Second), Last: start.Add(20 * time.Second)},
			{Address: "2001:db8:1:2::/64", AtLeast: 40, Packets: 40, Bytes: 4000, Share: 0.5, StandsOut: true, Ports: []string{"registered", "dynamic"}, First: start.Add(20 * time.Second), Last: start.Add(20 * time.Second)},
		},
		Series: []Series{{"192.0.2.1", 40, start.Add(10 * time.Second)}, {"2001:db8:1:2::/64", 40, start.Add(20 * time.Second)}},
	}
	check := func(when string, got Report) {
		t.Helper()
		got.Distinct = math.Round(got.Distinct)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected report %s (-want +got):\n%s", when, diff)
		}
	}
	check("at once", at(149))

	at(160)
	count("192.0.2.1", 20, 22)
	want.Packets, want.Sources[0].AtLeast, want.Sources[0].Packets, want.Sources[0].Bytes = 100, 60, 60, 6000
	want.Sources[0].Share, want.Sources[1].Share = 0.6, 0.4
	want.Sources[0].Last, want.Series[0].Packets = start.Add(160*time.Second), 60
	check("in the next pane", at(299))

	want.Since, want.Packets, want.Distinct, want.Sources = start.Add(150*time.Second), 20, 1, want.Sources[:1]
	of := &want.Sources[0]
	of.AtLeast, of.Packets, of.Bytes, of.Share, of.Ports, of.First = 20, 20, 2000, 1, []string{"22"}, start.Add(160*time.Second)
	check("after 5 minutes", at(301))

	want.Since, want.Packets, want.Distinct, want.Sources = start.Add(300*time.Second), 0, 0, nil
	check("after 7.5 minutes", at(460))
	if all, forgot := tracker.All(); len(all) != 1 || forgot {
		t.Errorf("%d prefixes, forgot: %t", len(all), forgot)
	}
	at(2000)
	if all, forgot := tracker.All(); len(all) != 0 || !forgot {
		t.Errorf("%d prefixes after half an hour, forgot: %t", len(all), forgot)
	}
}

// TestPrefixes checks that prefixes beyond the limit share one, and that idle ones make room.
func TestPrefixes(t *testing.T) {
	tracker := newTracker(Config{Sources: 1}, 1)
	for i := range MaxPrefixes + 100 {
		tracker.Of(fmt.Sprintf("prefix %d", i), "others").Count(addrOf(uint64(i), false), 40, 0, false)
	}
	all, _ := tracker.All()
	packets := make(map[string]uint64)
	for _, s := range all {
		packets[s.Report().Prefix] = s.Report().Packets
	}
	if len(all) != MaxPrefixes+1 || packets["others"] != 100 || packets["prefix 7"] != 1 {
		t.Errorf("%d prefixes, the others have %d packets", len(all), packets["others"])
	}
	tracker.Advance(start.Add(time.Hour))
	if all, _ := tracker.All(); len(all) > 0 {
		t.Errorf("%d prefixes after an hour", len(all))
	}
	if s := tracker.Of("new", "others"); s.Report().Prefix != "new" {
		t.Error("a new prefix finds no room after an hour")
	}
}

// TestMemory checks that 500 prefixes with 20 sources take at most 8 MiB.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	tracker := newTracker(Config{Sources: 20}, 1)
	var all []*Sources
	for i := range MaxPrefixes {
		all = append(all, tracker.Of(fmt.Sprintf("prefix %d", i), ""))
	}
	for pane := range 3 {
		tracker.Advance(start.Add(time.Duration(pane) * paneLen))
		for i := range 500 * MaxPrefixes {
			n := uint64(i)
			if i%5 == 0 {
				n = uint64(i / MaxPrefixes % 20)
			}
			all[i%MaxPrefixes].Count(addrOf(n, i%2 == 0), 40, 0, false)
		}
		for _, s := range all {
			s.Report()
		}
	}
	used := heap() - before
	runtime.KeepAlive(tracker)
	t.Logf("%d prefixes take %.2f MiB", MaxPrefixes, float64(used)/(1<<20))
	if used > 8<<20 {
		t.Errorf("%d prefixes take %d bytes", MaxPrefixes, used)
	}
}

func TestCountAllocations(t *testing.T) {
	tracker := newTracker(Config{Sources: 20}, 1)
	s := tracker.Of("", "")
	i := uint64(0)
	if n := testing.AllocsPerRun(10_000, func() {
		i++
		tracker.Advance(start.Add(time.Duration(i) * time.Second))
		s.Count(addrOf(i/2, i%2 == 0), 40, 443, true)
	}); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}

// TestEstimate checks the estimator from one hash to a million, for the mean error too.
func TestEstimate(t *testing.T) {
	for _, n := range []int{0, 1, 2, 10, 100, 1000, 3000, 5000, 8000, 20_000, 100_000, 1_000_000} {
		sum, squares, runs := 0.0, 0.0, max(3, min(100, 1_000_000/max(n, 1)))
		for run := range runs {
			r := rand.New(rand.NewPCG(uint64(run), uint64(n)))
			var a, b distinct
			for i := range n {
				h := r.Uint64()
				if i%3 != 0 {
					a.add(h)
				}
				if i%3 != 1 {
					b.add(h)
				}
			}
			off := 0.0
			if e := estimate(&a, &b); n > 0 {
				off = e/float64(n) - 1
			} else if e != 0 {
				t.Errorf("nothing is estimated as %v", e)
			}
			sum, squares = sum+off, squares+off*off
		}
		mean, deviation := sum/float64(runs), math.Sqrt(squares/float64(runs))
		t.Logf("%d: off by %.2f %% in the mean, standard error %.2f %%", n, 100*mean, 100*deviation)
		if math.Abs(mean) > 3*DistinctError/math.Sqrt(float64(runs))+0.001 || deviation > 1.6*DistinctError {
			t.Errorf("%d: off by %.2f %% in the mean, standard error %.2f %%", n, 100*mean, 100*deviation)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		length int
		want   string
	}{
		{"192.0.2.1", 64, "192.0.2.1"},
		{"255.255.255.255", 1, "255.255.255.255"},
		{"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"},
		{"2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"},
		{"2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::/48"},
		{"2001:db8:1:2:3:4:5:6", 72, "2001:db8:1:2::/72"},
		{"2001:db8:1:2:3:4:5:6", 1, "::/1"},
		{"::ffff:192.0.2.1", 128, "::ffff:192.0.2.1"},
	} {
		m := newMask(tt.length)
		if got := m.text(m.addressOf(netip.MustParseAddr(tt.addr))); got != tt.want {
			t.Errorf("%s by %d bits is %s, want %s", tt.addr, tt.length, got, tt.want)
		}
	}
}

func TestPortClasses(t *testing.T) {
	var named []uint16
	for i := range uint16(70) {
		named = append(named, 10*(70-i), 10)
	}
	c := newPortClasses(named)
	var set uint64
	for _, port := range []uint16{10, 600, 610, 700, 0, 1023, 1024, 49151, 49152, 65535} {
		set |= c.bit(port)
	}
	got := c.list(set)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"10", "600", "dynamic", "others of the list", "registered", "well-known"}, got); diff != "" {
		t.Errorf("unexpected classes (-want +got):\n%s", diff)
	}
}

// FuzzPane compares the counters of one pane with exact counts, for any order of sources.
func FuzzPane(f *testing.F) {
	f.Add([]byte{1, 2, 3, 1, 1}, uint64(1))
	f.Add([]byte("a flood of many different bytes, more than there are counters"), uint64(2))
	f.Fuzz(func(t *testing.T, order []byte, seeds uint64) {
		tracker := newTracker(Config{Sources: 1}, seeds)
		s := tracker.Of("", "")
		// Fewer counters, so that short inputs fill them.
		s.current.counters = make([]counter, 0, 8)
		exact := make(map[address]uint64)
		for i, b := range order {
			a := tracker.mask.addressOf(addrOf(uint64(b), b%2 == 1))
			s.count(a, 40, 0)
			exact[a]++
			if i%16 == 15 {
				s.Report()
			}
		}
		totals, bound := s.totals()
		known := make(map[address]bool)
		for _, of := range totals {
			known[of.address] = true
			if n := exact[of.address]; n < of.certain || n > of.most || of.most-n > bound {
				t.Errorf("%v came %d times, told are %d to %d, bound %d", of.address, n, of.certain, of.most, bound)
			}
		}
		for a, n := range exact {
			if !known[a] && n > bound {
				t.Errorf("%v came %d times, and has no counter: bound %d", a, n, bound)
			}
		}
		for i := range s.current.counters {
			c := &s.current.counters[i]
			if got := s.current.find(c.address(), tracker.seed.hash(c.address())); got != i {
				t.Errorf("the counter %d is found as %d", i, got)
			}
		}
	})
}

// BenchmarkCount counts packets of sources that have a counter, and of forged ones.
func BenchmarkCount(b *testing.B) {
	for _, sources := range []int{50, 1 << 20} {
		b.Run(fmt.Sprint(sources), func(b *testing.B) {
			tracker := newTracker(Config{Sources: 20}, 1)
			s := tracker.Of("", "")
			r := rand.New(rand.NewPCG(1, 1))
			addrs := make([]netip.Addr, 1<<16)
			for i := range addrs {
				addrs[i] = addrOf(r.Uint64N(uint64(sources)), false)
			}
			i := 0
			for b.Loop() {
				s.Count(addrs[i&(1<<16-1)], 100, 443, true)
				i++
			}
		})
	}
}

// BenchmarkReport makes the report of a prefix whose counters are all in use, which the reader of packets waits for.
func BenchmarkReport(b *testing.B) {
	tracker := newTracker(Config{Sources: 20}, 1)
	s := tracker.Of("", "")
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		if i == 100_000 {
			tracker.Advance(start.Add(paneLen))
		}
		s.Count(addrOf(r.Uint64()>>32, false), 100, 443, true)
	}
	for b.Loop() {
		s.Report()
	}
}
