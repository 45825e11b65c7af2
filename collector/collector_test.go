// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

var update = flag.Bool("update", false, "write the golden files")

// newCollector returns a collector of groups 100 and 7 that does not run.
func newCollector(t testing.TB) *Collector {
	t.Helper()
	return mustNew(t, Config{Groups: []GroupConfig{{Group: 100}, {Group: 7}}})
}

// countAllKinds counts packets of all kinds in group 100 of a collector, with losses and errors.
func countAllKinds(c *Collector) {
	f := feedGroup(c, 0)
	f.count(
		udpInput("fw wan drop: ", 2, 28),
		udpInput("fw wan drop: ", 2, 64),
		udpInput("fw wan drop: ", 2, 65),
		udpInput("fw wan drop: ", 2, 1500),
		udpInput("fw wan drop: ", 2, 65535),
		udpInput("", 1, 100),
		udpInput("quote\" backslash\\ newline\n ü \xff.", 9, 100),
	)
	f.seq += 3
	f.count(
		nflogtest.Message{Family: 10, Hook: 2, HWProtocol: 0x86dd, Prefix: "jumbo", InDev: 2, OutDev: 3, Payload: nflogtest.Unhex(nflogtest.IPv6Header("0000", "00") + "06 00 c204 0001 0000")},
		nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88cc, Prefix: "lldp", InDev: 3, Payload: nflogtest.Unhex("0207 0402")},
		nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Prefix: "bad", InDev: 2, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)},
	)
	f.countDatagram([]byte("garbage"))
}

// pretendBound gives group 100 of a collector the state of a group that was bound after failures.
func pretendBound(c *Collector) {
	g := c.groups[0]
	g.state = GroupState{Group: 100, Tried: true, Bound: true, Since: time.Unix(1_800_000_000, 123_456_789)}
	g.binds = 2
	g.bindFailures["held"] = 3
	g.bindFailures["permission"] = 1
	g.readFailures = 1
	g.drops = 4
	g.socket = nflog.SocketStats{Drops: 1, Queued: 1280, Buffer: 33554432}
}

func TestCollectorGolden(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*Collector)
	}{
		{name: "fresh", prepare: func(*Collector) {}}, // series of the group exist before anything happens
		{name: "counted", prepare: func(c *Collector) { countAllKinds(c); pretendBound(c) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t)
			tt.prepare(c)
			var got bytes.Buffer
			if err := writeText(&got, gatherFamilies(t, c)); err != nil {
				t.Fatalf("failed to write: %v", err)
			}

			path := filepath.Join("testdata", tt.name+".prom")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("unexpected metrics, -update accepts them (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollectorLint(t *testing.T) {
	c := newCollector(t)
	countAllKinds(c)
	problems, err := testutil.GatherAndLint(pedanticRegistry(c))
	if err != nil {
		t.Fatalf("failed to gather: %v", err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestCollectorDescribes checks that Describe sends the descriptions of all metrics of Collect and no others, the same
// before and after packets are counted.
func TestCollectorDescribes(t *testing.T) {
	c := newCollector(t)
	describe := func() map[string]int {
		ch := make(chan *prometheus.Desc, 100)
		c.Describe(ch)
		close(ch)
		descs := make(map[string]int)
		for desc := range ch {
			descs[desc.String()]++
		}
		return descs
	}
	described := describe()
	countAllKinds(c)
	pretendBound(c)
	pretendRule(c, "a")
	if diff := cmp.Diff(described, describe()); diff != "" {
		t.Errorf("the descriptions have changed (-want +got):\n%s", diff)
	}

	ch := make(chan prometheus.Metric, 1000)
	c.Collect(ch)
	close(ch)
	collected := make(map[string]int)
	for metric := range ch {
		collected[metric.Desc().String()] = 1
	}
	if diff := cmp.Diff(collected, described); diff != "" {
		t.Errorf("Describe and Collect differ (-collected +described):\n%s", diff)
	}
}

// TestCollectorConcurrent scrapes while packets are counted.
func TestCollectorConcurrent(t *testing.T) {
	c := newCollector(t)
	r := pedanticRegistry(c)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f := feedGroup(c, 0)
		for i := range uint32(300) {
			f.count(udpInput("a", i%20, 100), udpInput("b", i, 200))
		}
	}()
	for running := true; running; {
		if _, err := r.Gather(); err != nil {
			t.Fatalf("failed to gather: %v", err)
		}
		select {
		case <-done:
			running = false
		default:
		}
	}
}

func TestNewErrors(t *testing.T) {
	groups := []GroupConfig{{Group: 100}}
	buckets := make([]uint32, MaxPacketSizeBuckets+1)
	for i := range buckets {
		buckets[i] = uint32(i + 1)
	}
	tests := []struct {
		name   string
		config Config
		want   string // the error; empty for none
	}{
		{name: "one group", config: Config{Groups: groups}},
		{name: "smallest and largest group", config: Config{Groups: []GroupConfig{{Group: 0}, {Group: 1}, {Group: 65535}}}},
		{name: "most buckets", config: Config{Groups: groups, PacketSizeBuckets: buckets[1:]}},
		{name: "no buckets", config: Config{Groups: groups, PacketSizeBuckets: []uint32{}}},
		{name: "no group", config: Config{}, want: "no NFLOG group to read"},
		{
			name:   "a group twice",
			config: Config{Groups: []GroupConfig{{Group: 100}, {Group: 7}, {Group: 100, CopyRange: 64}}},
			want:   "NFLOG group 100 is named twice",
		},
		{
			name:   "too many buckets",
			config: Config{Groups: groups, PacketSizeBuckets: buckets},
			want:   "17 buckets of packet sizes: more than 16",
		},
		{
			name:   "buckets not ascending",
			config: Config{Groups: groups, PacketSizeBuckets: []uint32{64, 1500, 128}},
			want:   "buckets of packet sizes: 128 follows 1500, not ascending",
		},
		{
			name:   "a bucket twice",
			config: Config{Groups: groups, PacketSizeBuckets: []uint32{64, 64, 128}},
			want:   "buckets of packet sizes: 64 follows 64, not ascending",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(tt.config)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
			if (c == nil) != (err != nil) {
				t.Errorf("collector %v and error %v", c, err)
			}
		})
	}
}

// TestNewStates checks the states of groups before the first attempt to bind them.
func TestNewStates(t *testing.T) {
	got := newCollector(t).Groups()
	for i := range got {
		if got[i].Since.IsZero() {
			t.Errorf("the state of group %d has no time", got[i].Group)
		}
		got[i].Since = time.Time{}
	}
	want := []GroupState{{Group: 100, Reason: "not tried yet"}, {Group: 7, Reason: "not tried yet"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected states (-want +got):\n%s", diff)
	}
}
