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

// Ports that rules of a site log by.
const (
	floodPort   = 1001
	scanPort    = 1002
	limitedPort = 1003
)

const (
	// troubled is the group that gets what does not go well.
	troubled = 101

	// maxLabelSets is how many label sets a group may have: more than the other group needs, fewer than there are
	// prefixes that log a scan.
	maxLabelSets, scanPrefixes = 60, 70

	// limitedPrefix is the prefix of a rule that logs 10 packets a minute, and a burst.
	limitedPrefix = "DROP by policy default/deny-all"
	limitedBurst  = 300
)

// A site is a network whose router logs and runs the exporter, which is reached from the host on the left.
type site struct {
	network
	access   *access
	file     configFile
	config   string   // its text, if it is good
	args     []string // of the exporter
	exporter *exporter
	rules    map[string]*nftrules.Rule // of the group that goes well, by prefix
	troubles []*nftrules.Rule          // of the other
	ingress  *nftrules.Rule            // one of them, whose interface goes
	gone     uint64                    // packets that it had counted then
}

// newSite returns a site whose exporter runs, with further arguments.
func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{network: newNetwork(t), access: newAccess(t, loopback4, routerL4), rules: make(map[string]*nftrules.Rule)}
	s.config = fmt.Sprintf("groups: [{group: %d}, {group: %d, socket_buffer: 128KiB}]\nprefix_rules: [{preset: k3s}]\n", group, troubled)
	s.file = newConfigFile(t, s.config)
	s.args = append([]string{
		"--config.file=" + s.file.path, "--web.config.file=" + s.access.config, "--nflog.queue-timeout=10ms",
		"--collector.deleted-interface-timeout=1s", fmt.Sprintf("--collector.max-label-sets=%d", maxLabelSets),
	}, args...)

	rs := nftrules.New(s.router)
	input, forward := rs.Chain(nftrules.Chain{Hook: nftrules.Input}), rs.Chain(nftrules.Chain{Hook: nftrules.Forward})
	s.log(input, "fw input udp", nftrules.UDPPort(discard))
	s.log(input, "fw input icmp", nftrules.ICMP())
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

	s.startExporter(t)
	return s
}

// log adds a rule to a chain that logs to the group that goes well.
func (s *site) log(chain *nftrules.ChainRules, prefix string, parts ...nftrules.Part) {
	s.rules[prefix] = chain.Log(group, prefix, parts...)
}

// startExporter starts the exporter, for the first time or again.
func (s *site) startExporter(t *testing.T) {
	t.Helper()
	e := launch(t, s.router, command(executable(t), s.args...))
	e.access = s.access
	e.awaitReady(t)
	t.Cleanup(func() { e.stop(t) })
	s.exporter = e
}

// talk lets the host on the left and the router talk, as on any day.
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

// talkOn sends what nobody has seen before: by another prefix, and by another interface.
func (s *site) talkOn(t *testing.T) {
	t.Helper()
	must(t,
		traffic.UDP(s.left, toPort(right4), 5, 100),
		traffic.UDP(s.right, toPort(left6), 5, 100),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, limitedPort), limitedBurst/4, 10),
	)
}

// breakDown does to the other group all that there is an alert for.
func (s *site) breakDown(t *testing.T, m *monitor) {
	t.Helper()
	s.file.write(t, "groups: [{group: all}]\n")
	s.exporter.hangup(t, "can't be used")

	// A packet that is wrong, by an interface that goes, before there is no room for it among the label sets.
	src, dst := mac(t, s.upper, "eth0"), mac(t, s.lower, "eth0")
	must(t,
		sendTo(s.router, s.exporter.kernelGroup(t).Port, [][]byte{{0}}),
		traffic.SendFrames(s.upper, "eth0", traffic.Ethernet(dst, src, traffic.EtherTypeIPv4, make([]byte, 46))),
		traffic.UDP(s.left, netip.AddrPortFrom(routerL4, scanPort), 3, 10),
	)

	// More than a reader that does not run can be sent.
	s.exporter.signal(t, syscall.SIGSTOP)
	s.flood(t, 0)
	s.exporter.signal(t, syscall.SIGCONT)
	// The rule goes with its interface.
	s.gone = packets(t, s.ingress)
	s.ingress = nil
	must(t, s.router.Delete("port0"))
	// And then many small batches, by the rule's own threshold, that it can read.
	kerneltest.Eventually(t, promTimeout, func() error {
		s.flood(t, 30_000)
		if _, fires := m.fires(t, "NflogBatchingDefeated"); !fires {
			return errors.New("NflogBatchingDefeated does not fire")
		}
		return nil
	})
}

// mend lets the exporter apply its configuration file again.
func (s *site) mend(t *testing.T) {
	t.Helper()
	s.file.write(t, s.config)
	s.exporter.hangup(t, applied)
}

// flood sends 10,000 packets that are logged one by one, so many a second.
func (s *site) flood(t *testing.T, pps int) {
	t.Helper()
	_, err := traffic.Flood(t.Context(), s.left, netip.AddrPortFrom(routerL4, floodPort), 10_000, 10, pps)
	must(t, err)
}

// A tally is what rules have counted, by prefix.
type tally map[string]counts

// counted returns what the rules of the group that goes well have counted.
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

// countedTroubles returns how many packets the rules of the other group have counted.
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

// since returns what has been counted since.
func (a tally) since(before tally) tally {
	since := make(tally)
	for prefix, c := range a {
		b := before[prefix]
		since[prefix] = counts{c.Packets - b.Packets, c.Bytes - b.Bytes, c.Sized - b.Sized}
	}
	return since
}

// spendWeek returns a folder of data, for a Prometheus that shall have scraped for a week what the exporter serves after some
// talk.
func (s *site) spendWeek(t *testing.T) (data string) {
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
	return past{scrape: now, instance: instance, silent: silentInstance, now: time.Now()}.save(t, s.left)
}
