// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
	"github.com/nflog-exporter/nflog_exporter/collector/history"
	"github.com/nflog-exporter/nflog_exporter/internal/config"
)

// A pageState is a state of the exporter that the page shows.
type pageState struct {
	name    string
	source  *fakeSource
	program Program
	texts   []string // on the page, in this order
}

// pageStates returns states that differ in what is wrong.
func pageStates(now time.Time) []pageState {
	held := "it is held by tcpdump (PID 4242), and a group has one reader at a time. Stop that process, or use another group"

	well := statusOf(now, 4)
	few := statusOf(now, 20)
	few.Groups[7].GroupState = collector.GroupState{Group: 107, Tried: true, Reason: held, Since: now.Add(-3 * time.Hour)}
	few.Groups[7].SocketBuffer, few.Groups[7].SocketQueued = 0, 0

	loss := statusOf(now, 3)
	g := &loss.Groups[1]
	g.Lost, g.LostLately, g.SocketDrops = 39_978, 39_978, 412
	g.LastLost, g.LastDrop = now.Add(-12*time.Second), now.Add(-12*time.Second)
	g.SocketQueued = g.SocketBuffer / 100 * 97
	for i := 53; i < 57; i++ {
		g.Curve.Packets[i], g.Curve.Lost[i] = 60_000, 10_000
	}

	limit := statusOf(now, 2)
	g = &limit.Groups[0]
	g.LabelSets, g.Overflow, g.LastOverflow = 2201, 81_204, now.Add(-20*time.Second)

	refused := statusOf(now, 2)
	lastReload := func() config.ReloadState {
		return config.ReloadState{
			File: "/etc/nflog_exporter.yml", Applied: now.Add(-26 * time.Hour), Tried: now.Add(-11 * time.Minute),
			Err: errors.New(`nflog.yml:5:12: match="fw (?P<zone>": must be a regular expression in RE2's syntax: missing closing ): "fw (?P<zone>"`),
		}
	}

	nothing := statusOf(now, 1)
	g = &nothing.Groups[0]
	*g = collector.GroupStatus{
		GroupState: collector.GroupState{Group: 100, Tried: true, Bound: true, Since: now.Add(-40 * time.Second)},
		Binds:      1, SocketBuffer: 32 << 20, LabelSetsLimit: 2000, CountedSince: now.Add(-40 * time.Second),
		Curve: history.Curve{Step: history.Step, Packets: make([]uint32, 4), Lost: make([]uint32, 4)},
	}
	nothing.Prefixes = nil

	many := statusOf(now, 300)
	for i := range 5 {
		many.Groups[40+i].GroupState = collector.GroupState{Group: uint16(140 + i), Tried: true, Reason: held, Since: now}
	}

	rules := statusOf(now, 2)
	rules.Firewalls = []collector.FirewallState{{
		Known: true,
		Read:  now.Add(-3 * time.Second), Changed: now.Add(-5 * time.Hour), Changes: 3,
		Rules: []collector.LoggingRule{
			{Group: 100, Prefix: "fw input drop 0", Family: "inet", Table: "filter", Chain: "input", Hook: "input", Comment: "the rest", Counted: true, Packets: 18_220},
			{Group: 101, Prefix: "fw forward accept dns 1", Family: "inet", Table: "filter", Chain: "forward", Hook: "forward", Limit: "10/minute burst 5", Threshold: 1},
			{Group: 555, Prefix: "audit", Family: "ip", Table: "filter", Chain: "KUBE-NWPLCY-7ZQJ2M", Comment: "audit of <guests>", Counted: true, Packets: 1204, Unread: true},
		},
	}}

	for i := range 20 {
		g := &many.Groups[250+i]
		g.Packets, g.LastPacket = 0, time.Time{}
	}

	return []pageState{
		{name: "well", source: &fakeSource{status: well}, texts: []string{"All is well: 4 groups are read, ", "nothing lost.", "All 4 groups are fine"}},
		{name: "held", source: &fakeSource{status: few}, texts: []string{
			"Group 107 is not read: it is held by tcpdump (PID 4242), and a group has one reader at a time.", "Stop that process, or use another group.",
			"19 of 20 groups are fine", "<h3>Group 107</h3>", "The other 19:",
		}},
		{name: "loss", source: &fakeSource{status: loss}, texts: []string{
			"Group 101 lost 39,978 packets in the last 10 minutes, the last 12 s ago.", "full: raise <code>--nflog.socket-buffer</code> (now 16 MiB)", "losing packets",
		}},
		{name: "limit", source: &fakeSource{status: limit}, texts: []string{
			"Group 100 has reached the limit of 2,000 label sets: 81,204 packets are counted under __overflow__.", "raise <code>--collector.max-label-sets</code>",
		}},
		{name: "refused", source: &fakeSource{status: refused}, program: Program{LastReload: lastReload, Settings: []config.Setting{
			{Name: "--config.file", Value: "/etc/nflog_exporter.yml"}, {Name: "--nflog.copy-range", Value: "128B", Default: true},
		}}, texts: []string{
			"The configuration file was refused 11 min ago. The one applied 26 h ago stays in force.", "nflog.yml:5:12: match=&#34;fw (?P&lt;zone&gt;", "Correct it and reload.",
			"/etc/nflog_exporter.yml",
		}},
		{name: "nothing", source: &fakeSource{status: nothing}, texts: []string{
			"Group 100 has logged nothing yet. Does a rule log to it?", "group 100</code> (nft)", "read, no packet yet", "Nothing yet.",
		}},
		{name: "many", source: &fakeSource{status: many}, texts: []string{
			"Groups 140, 141, 142 and 2 more are not read: they are held by tcpdump (PID 4242)", "295 of 300 groups are fine", "275 more:", ">399<", "No packet yet in 20 groups that are read: 350, 351, ",
		}},
		{name: "rules", source: &fakeSource{status: rules}, texts: []string{
			"1 rule logs to group 555, which nobody reads.", "Read it with <code>--nflog.group=555</code>, or correct", "Rules that nobody reads",
			"audit of &lt;guests&gt;", "changed 5 h ago, looked at 3 s ago",
		}},
	}
}

// statusOf returns a status in which all is well, with as many groups from 100 on.
func statusOf(now time.Time, groups int) *collector.Status {
	s := &collector.Status{Time: now, ByPrefix: true}
	begun := now.Add(-12 * 24 * time.Hour)
	for i := range groups {
		number := uint16(100 + i)
		g := collector.GroupStatus{
			GroupState: collector.GroupState{Group: number, Tried: true, Bound: true, Since: begun, Packets: uint64(81_204_551 / (i + 1))},
			Config:     collector.GroupConfig{Group: number},
			Binds:      1, Datagrams: uint64(1_204_551 / (i + 1)), SocketBuffer: 32 << 20, SocketQueued: 655360,
			LabelSets: 364 / (i + 1), LabelSetsLimit: 2000, LastPacket: now.Add(-300 * time.Millisecond), CountedSince: begun,
			Now: history.Counts{Packets: uint64(413*12) / uint64(i+1)}, NowTime: 12 * time.Second,
			Minute: history.Counts{Packets: uint64(413 * 60 / (i + 1)), Datagrams: 120}, MinuteTime: time.Minute,
			Curve: history.Curve{Step: time.Minute, Packets: make([]uint32, 60), Lost: make([]uint32, 60)},
		}
		for j := range g.Curve.Packets {
			g.Curve.Packets[j] = uint32((24_000 + 9_000*math.Sin(float64(j)/7+float64(i)) + float64(j*j*7919%3000)) / float64(i+1))
		}
		s.Groups = append(s.Groups, g)
		if i < 6 {
			p := prefixOf(now, number, fmt.Sprintf("fw input drop %d", i), uint64(16_000/(i+1)))
			if i == 1 {
				p = prefixOf(now, number, "fw forward accept dns 1", 700)
				p.FirstSeen = now.Add(-9 * time.Minute)
				p.Busiest = []collector.Path{{Packets: 9, Hook: "forward", InInterface: "lan0", OutInterface: "wan0", Protocol: "udp"}}
			}
			s.Prefixes = append(s.Prefixes, p)
		}
	}
	s.Prefixes = append(s.Prefixes, prefixOf(now, 100, "", 3), prefixOf(now, 100, `DROP by policy <b>shop</b>/deny-all-\x1bwith-a-long-name-that-has-no-blank-anywhere-in-it-at-all`, 0))
	return s
}

// prefixOf returns the status of a prefix with as many packets in the last minute.
func prefixOf(now time.Time, group uint16, prefix string, minute uint64) collector.PrefixStatus {
	return collector.PrefixStatus{
		Key: history.Key{Group: group, Prefix: prefix}, Packets: minute * 700, Minute: minute, MinuteTime: time.Minute,
		FirstSeen: now.Add(-12 * 24 * time.Hour), LastSeen: now.Add(-3 * time.Second),
		Busiest: []collector.Path{
			{Packets: 20, Hook: "input", InInterface: "wan0", Protocol: "tcp"}, {Packets: 9, Hook: "input", InInterface: "wan0", Protocol: "udp"},
		},
	}
}
