// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"slices"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/history"
)

// A GroupState is the current state of a group.
type GroupState struct {
	Group  uint16
	NetNS  string    // as in GroupConfig
	Tried  bool      // whether there was an attempt to bind the group
	Bound  bool      // whether the group is bound, so that its packets are counted
	Reason string    // why it is not bound, in words
	Since  time.Time // when this state began

	Packets, Lost uint64 // that were received, and that are known to be lost
}

// Groups returns the state of each group, in the order of the configuration.
func (c *Collector) Groups() []GroupState {
	c.mu.Lock()
	defer c.mu.Unlock()
	states := make([]GroupState, len(c.groups))
	for i, g := range c.groups {
		states[i] = g.snapshot().state
		states[i].Packets, states[i].Lost = g.table.received()
	}
	return states
}

// received returns how many packets were received, and how many are known to be lost.
func (t *table) received() (packets, lost uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats.Packets, t.stats.Lost
}

// What is known of the firewall rules that log.
type (
	// A FirewallState is about those of one network namespace.
	FirewallState = firewall.State

	// A LoggingRule is one of them.
	LoggingRule = firewall.Rule
)

// A Status is what a Collector knows, for people.
type Status struct {
	Time     time.Time
	Groups   []GroupStatus  // in the order of the configuration
	Prefixes []PrefixStatus // in no order

	ByPrefix     bool   // whether packets are counted by prefix
	OtherPackets uint64 // of prefixes that are not among Prefixes

	Firewalls         []FirewallState // of each network namespace; none if the rules are not looked at
	UnusedPrefixRules []string        // see [firewall.Firewalls.UnusedPrefixRules]
}

// A GroupStatus is what is known of a group. Its counts are those of the metrics.
type GroupStatus struct {
	GroupState
	Config GroupConfig

	Binds, SocketDrops, Datagrams    uint64
	DecodeErrors                     uint64 // messages, attributes and network headers
	Forgotten, Overflow              uint64
	SocketBuffer, SocketQueued       uint32
	LabelSets, LabelSetsLimit        int
	LastPacket                       time.Time // zero before the first
	LastLost, LastDrop, LastOverflow time.Time // to ten seconds, zero for never

	Now          history.Counts // counted in the last ten to twenty seconds
	NowTime      time.Duration  // how long that is
	Minute       history.Counts // counted in about the last minute
	MinuteTime   time.Duration
	LostLately   uint64 // packets in the last LatelyMinutes
	Curve        history.Curve
	CountedSince time.Time
}

// LatelyMinutes is the time for which a loss is news.
const LatelyMinutes = 10

// A PrefixStatus is what is known of a prefix of a group.
type PrefixStatus struct {
	history.Key
	Packets             uint64    // also of label sets that were forgotten
	FirstSeen, LastSeen time.Time // to ten seconds
	Minute              uint64    // packets in about the last minute
	MinuteTime          time.Duration
	Curve               history.Curve
	Busiest             []Path // of the label sets with most packets, most first
}

// A Path is where packets pass: values of labels, empty if these are not selected.
type Path struct {
	Packets                                   uint64
	Hook, InInterface, OutInterface, Protocol string
}

// maxPaths is how many paths a PrefixStatus has.
const maxPaths = 3

// Status returns what the Collector knows. That takes less time than a scrape, and waits for one.
func (c *Collector) Status() Status {
	g := c.gatherer
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	s := Status{Time: now, Firewalls: g.firewalls.States(boundGroups(g.groups)), UnusedPrefixRules: g.firewalls.UnusedPrefixRules()}
	paths := make(map[history.Key][]Path)
	for i, group := range g.groups {
		t := g.copyTable(i, now)
		state := group.snapshot()
		g.record(i, now)
		s.Groups = append(s.Groups, groupStatus(group, t, state, now))
		s.ByPrefix = group.table.labeling.selection.has(labelPrefix)
		g.addPaths(paths, i)
		key := history.Key{Group: state.state.Group, NetNS: state.state.NetNS}
		for _, total := range t.prefixes {
			key.Prefix = total.total.prefix
			h := g.prefixes.Of(key)
			if h == nil {
				s.OtherPackets += total.packets
				continue
			}
			p := PrefixStatus{
				Key: key, Packets: total.packets, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, Curve: h.Curve(now), Busiest: paths[key],
			}
			p.Minute, p.MinuteTime = h.LastMinute(now)
			s.Prefixes = append(s.Prefixes, p)
		}
	}
	return s
}

// record adds what a group has counted, by the copy of its table, to the history. The caller holds the lock.
func (g *gatherer) record(i int, now time.Time) {
	group, t := g.groups[i], g.copyOf(i)
	config, drops := group.recorded()
	from := group.history.LastAdd()
	group.history.Add(history.Counts{
		Packets: t.stats.Packets, Lost: t.stats.Lost, Datagrams: t.stats.Datagrams, Drops: drops, Overflow: t.overflow,
	}, now)
	key := history.Key{Group: config.Group, NetNS: config.NetNS}
	for _, p := range t.prefixes {
		total := p.total
		if p.packets == total.recorded || total.prefix == overflowValue { // which gets the packets of what is forgotten
			continue
		}
		key.Prefix = total.prefix
		g.prefixes.Add(key, p.packets-total.recorded, from, now)
		total.recorded = p.packets
	}
}

// recorded returns the configuration, and the datagrams that sockets had dropped when they were last asked.
func (g *group) recorded() (config GroupConfig, drops uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.config, g.drops + g.socket.Drops
}

// forgetPrefixes forgets the prefixes of groups that are not read any more. The caller holds the lock.
func (g *gatherer) forgetPrefixes(groups []GroupConfig) {
	g.prefixes.Keep(func(k history.Key, _ *history.Prefix) bool {
		return slices.ContainsFunc(groups, GroupConfig{Group: k.Group, NetNS: k.NetNS}.sameGroup)
	})
}

// groupStatus returns what is known of a group. t is the copy of its table.
func groupStatus(group *group, t *tableSnapshot, s groupSnapshot, now time.Time) GroupStatus {
	h := group.history
	config, _ := group.recorded()
	status := GroupStatus{
		GroupState:   s.state,
		Config:       config,
		Binds:        s.binds,
		SocketDrops:  s.socket.Drops,
		Datagrams:    t.stats.Datagrams,
		DecodeErrors: t.stats.MalformedMessages + t.stats.MalformedAttributes + t.malformed,
		Forgotten:    t.forgotten,
		Overflow:     t.overflow,
		SocketBuffer: s.socket.Buffer, SocketQueued: s.socket.Queued,
		LabelSets: len(t.sets), LabelSetsLimit: group.table.limits.labelSets,
		LastPacket: t.lastPacket,
		LastLost:   h.LastLost, LastDrop: h.LastDrop, LastOverflow: h.LastOverflow,
		LostLately:   h.LostIn(LatelyMinutes, now),
		Curve:        h.Curve(now),
		CountedSince: h.Begun(),
	}
	status.Packets, status.Lost = t.stats.Packets, t.stats.Lost
	status.Now, status.NowTime = h.Since(history.Step)
	status.Minute, status.MinuteTime = h.Since(time.Minute)
	return status
}

// addPaths adds the paths of a group's label sets, by the prefixes that have a history.
func (g *gatherer) addPaths(to map[history.Key][]Path, i int) {
	group, t := g.groups[i], g.copyOf(i)
	if !group.table.labeling.selection.has(labelPrefix) {
		return
	}
	config, _ := group.recorded()
	key := history.Key{Group: config.Group, NetNS: config.NetNS}
	for j := range t.sets {
		set := &t.sets[j]
		value := func(l label) string { return t.ofCounters.value(set.series.values, l) }
		key.Prefix = value(labelPrefix)
		paths := to[key]
		if len(paths) == 0 && g.prefixes.Of(key) == nil {
			continue
		}
		if len(paths) == maxPaths {
			if set.packets <= paths[maxPaths-1].Packets {
				continue
			}
			paths = paths[:maxPaths-1]
		}
		p := Path{set.packets, value(labelHook), value(labelInInterface), value(labelOutInterface), value(labelProtocol)}
		paths = append(paths, p)
		slices.SortStableFunc(paths, func(a, b Path) int { return cmp.Compare(b.Packets, a.Packets) })
		to[key] = paths
	}
}
