// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Destination ports of packets that rules of a site log.
const (
	floodPort   = 1001
	scanPort    = 1002
	limitedPort = 1003
	fewPort     = 1004
	neverPort   = 1005 // nobody sends there
)

const (
	// troubled is the group that suffers losses and overflow.
	troubled = 101

	// maxLabelSets is the limit of label sets of each group: more than the default group needs, fewer than the prefixes of
	// the rules that log scans.
	maxLabelSets, scanPrefixes = 60, 70

	// few is a group with a rule that logs a packet a minute at most, and counts all.
	few = 102

	// unread is a group that a rule logs to, and nobody reads.
	unread = 103

	// limitedPrefix is the prefix of a rule that logs at most 10 packets a minute, after a burst.
	limitedPrefix = "DROP by policy default/deny-all"
	limitedBurst  = 300
)

// A site is a network. Its router logs packets and runs the exporter, which Prometheus scrapes from the host left.
type site struct {
	network
	credentials *credentials
	file        configFile
	config      string   // its valid text
	args        []string // of the exporter
	exporter    *exporter
	rules       map[string]*nftrules.Rule // of the default group, by prefix
	troubles    []*nftrules.Rule          // of the troubled group
	ingress     *nftrules.Rule            // of the troubled group, on an interface that is deleted
	gone        uint64                    // packets of that rule before it was deleted
}

// newSite makes a site and starts its exporter with further arguments.
func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{network: newNetwork(t), credentials: newCredentials(t, loopback4, routerL4), rules: make(map[string]*nftrules.Rule)}
	s.config = fmt.Sprintf("groups: [{group: %d}, {group: %d, socket_buffer: 128KiB}, {group: %d}]\nprefix_rules: [{preset: k3s}]\n", group, troubled, few)
	s.file = newConfigFile(t, s.config)
	s.args = append([]string{
		"--config.file=" + s.file.path, "--web.config.file=" + s.credentials.config, "--nflog.queue-timeout=10ms",
		"--collector.deleted-interface-timeout=1s", "--collector.top-sources=5", fmt.Sprintf("--collector.max-label-sets=%d", maxLabelSets),
	}, args...)

	rs := nftrules.New(s.router)
	input, forward := rs.Chain(nftrules.Chain{Hook: nftrules.Input}), rs.Chain(nftrules.Chain{Hook: nftrules.Forward})
	s.log(input, "fw input udp", nftrules.UDPPort(discard))
	s.log(input, "knock icmp", nftrules.ICMP())
	s.log(input, "", nftrules.UDPPort(limitedPort))
	s.log(input, limitedPrefix, nftrules.UDPPort(limitedPort), nftrules.Limit(10, limitedBurst))
	s.log(forward, "fw forward", nftrules.UDPPort(discard))
	s.log(rs.Chain(nftrules.Chain{Hook: nftrules.Output}), "fw output udp", nftrules.UDPPort(discard))

	s.troubles = append(s.troubles, input.Log(troubled, "flood", nftrules.UDPPort(floodPort), nftrules.QueueThreshold(1), nftrules.Drop()))
	for i := range scanPrefixes {
		s.troubles = append(s.troubles, input.Log(troubled, fmt.Sprintf("scan %d", i), nftrules.UDPPort(scanPort)))
	}
	input.Rule(nftrules.UDPPort(scanPort), nftrules.Drop())
	input.Rule(nftrules.UDPPort(limitedPort), nftrules.Drop())
	s.ingress = rs.Chain(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "port0"}).
		Log(troubled, "ingress", nftrules.EtherType(traffic.EtherTypeIPv4))
	must(t, rs.Apply())
	runIn(t, s.router, "nft", fmt.Sprintf(`table ip few {
		chain input {
			type filter hook input priority -1
			udp dport %d counter limit rate 1/minute burst 1 packets log prefix "few" group %d
			udp dport %d log prefix "unread" group %d drop
			udp dport %d log prefix "never" group %d
		}
	}
	table ip gone {
		chain input {
			type filter hook input priority -1
			udp dport %d log prefix "gone" group %d
		}
	}`, fewPort, few, fewPort, unread, neverPort, few, fewPort, few))

	s.startExporter(t)
	return s
}

// log adds a rule to a chain that logs to the default group.
func (s *site) log(chain *nftrules.ChainRules, prefix string, parts ...nftrules.Part) {
	s.rules[prefix] = chain.Log(group, prefix, parts...)
}

// startExporter starts or restarts the exporter.
func (s *site) startExporter(t *testing.T) {
	t.Helper()
	e := launch(t, s.router, command(executable(t), s.args...))
	e.credentials = s.credentials
	e.awaitReady(t)
	t.Cleanup(func() { e.stop(t) })
	s.exporter = e
}

// talk sends everyday packets between left and router.
func (s *site) talk(t *testing.T) {
	t.Helper()
	for _, path := range []struct {
		from *netns.NS
		to   netip.Addr
	}{{s.left, routerL4}, {s.left, routerL6}, {s.router, left4}, {s.router, left6}} {
		must(t, traffic.UDP(path.from, toPort(path.to), 5, 100), traffic.UDP(path.from, toPort(path.to), 2, 1000))
	}
	must(t,
		traffic.Echo(s.left, routerL4, 2, 56),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, floodPort), 1, 10),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, limitedPort), 1, 10),
	)
}

// talkMore sends packets with prefixes and interfaces that have no label set yet.
func (s *site) talkMore(t *testing.T) {
	t.Helper()
	must(t,
		traffic.UDP(s.left, toPort(right4), 5, 100),
		traffic.UDP(s.right, toPort(left6), 5, 100),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, limitedPort), limitedBurst/4, 10),
	)
}

// causeTrouble provokes all alerts that need trouble in a group, in the troubled one.
func (s *site) causeTrouble(t *testing.T, m *monitor) {
	t.Helper()
	s.file.write(t, "groups: [{group: all}]\n")
	s.exporter.hangup(t, "can't be used")

	// A packet with a wrong IP header, from an interface that is deleted below. It comes before the limit of label sets is reached.
	src, dst := mac(t, s.upper, "eth0"), mac(t, s.lower, "eth0")
	must(t,
		sendTo(s.router, s.exporter.kernelGroup(t).Port, [][]byte{{0}}),
		traffic.SendFrames(s.upper, "eth0", traffic.Ethernet(dst, src, traffic.EtherTypeIPv4, make([]byte, 46))),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, scanPort), 3, 10),
	)

	// Many more packets than a rule logs, and no rule with a prefix any more.
	_, err := traffic.Flood(t.Context(), s.left, netip.AddrPortFrom(routerL4, fewPort), 3000, 10, 0)
	must(t, err)
	runIn(t, s.router, "nft", "delete table ip gone")

	// More packets than the socket holds while the reader is stopped.
	s.exporter.signal(t, syscall.SIGSTOP)
	s.flood(t, 0)
	s.exporter.signal(t, syscall.SIGCONT)
	// The kernel deletes the rule with its interface.
	s.gone = packets(t, s.ingress)
	s.ingress = nil
	must(t, s.router.Delete("port0"))
	// Many batches of one packet, by the rule's own threshold, at a rate that the exporter can read.
	kerneltest.Eventually(t, promTimeout, func() error {
		s.flood(t, 30_000)
		if _, fires := m.fires(t, "NflogBatchingDefeated"); !fires {
			return errors.New("NflogBatchingDefeated does not fire")
		}
		return nil
	})
}

// restoreConfig makes the configuration file valid again and reloads it.
func (s *site) restoreConfig(t *testing.T) {
	t.Helper()
	s.file.write(t, s.config)
	s.exporter.hangup(t, applied)
}

// flood sends 10,000 packets that are logged in batches of one, pps a second; 0 is as fast as possible.
func (s *site) flood(t *testing.T, pps int) {
	t.Helper()
	_, err := traffic.Flood(t.Context(), s.left, netip.AddrPortFrom(routerL4, floodPort), 10_000, 10, pps)
	must(t, err)
}

// A tally holds the counts of rules by prefix.
type tally map[string]counts

// counted returns the counts of the default group's rules.
func (s *site) counted(t *testing.T) tally {
	t.Helper()
	all := make(tally)
	for prefix, rule := range s.rules {
		packets, bytes, err := rule.Count()
		must(t, err)
		all[prefix] = counts{Packets: packets, Bytes: bytes, Sized: packets}
	}
	return all
}

// countedTroubles returns how many packets the rules of the troubled group have counted.
func (s *site) countedTroubles(t *testing.T) uint64 {
	t.Helper()
	sum := s.gone
	if s.ingress != nil {
		sum = packets(t, s.ingress)
	}
	for _, rule := range s.troubles {
		sum += packets(t, rule)
	}
	return sum
}

// packets returns how many packets a rule has counted.
func packets(t *testing.T, rule *nftrules.Rule) uint64 {
	t.Helper()
	n, _, err := rule.Count()
	must(t, err)
	return n
}

// since returns the difference to earlier counts.
func (a tally) since(before tally) tally {
	since := make(tally)
	for prefix, c := range a {
		b := before[prefix]
		since[prefix] = counts{c.Packets - b.Packets, c.Bytes - b.Bytes, c.Sized - b.Sized}
	}
	return since
}

// recordWeek returns a data directory for a Prometheus, with a history of a week that repeats the exporter's metrics after some
// packets.
func (s *site) recordWeek(t *testing.T) (data string) {
	t.Helper()
	s.talk(t)
	want := s.counted(t)
	now := s.exporter.eventually(t, bookTimeout, func(now scrape) error {
		got := now.sumBy("nflog_packets_total", "prefix")
		for prefix, c := range want {
			if got[prefix] != c.Packets {
				return fmt.Errorf("%d packets with the prefix %q, want %d", got[prefix], prefix, c.Packets)
			}
		}
		return nil
	})
	return history{scrape: now, instance: instance, silent: silentInstance, now: time.Now()}.save(t, s.left)
}
