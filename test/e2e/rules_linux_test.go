// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationRules shows rules of nft and of iptables-nft, of which one logs to a group that nobody reads.
func TestIntegrationRules(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	logOutput(t, ns, "counted")
	runIn(t, ns, "iptables-nft", "-A", "OUTPUT", "-p", "udp", "-m", "comment", "--comment", "nobody", "-j", "NFLOG", "--nflog-group", "101", "--nflog-prefix", "lost ")
	_, err := traffic.Flood(t.Context(), ns, toPort(loopback4), 7, 10, 0)
	must(t, err)
	e := start(t, ns)
	read := []string{"family", "inet", "table", "nflog", "chain", "chain-1", "comment", "rule 1", "prefix", "counted"}
	unread := []string{"group", "101", "family", "ip", "table", "filter", "chain", "OUTPUT", "comment", "nobody", "prefix", "lost"}
	e.eventually(t, startTimeout, func(s scrape) error {
		for _, want := range []error{
			s.expect(1, "nflog_rules", read...),
			s.expect(7, "nflog_rule_packets_total", read...),
			s.expect(0, "nflog_rules_unread"),
			s.expect(1, "nflog_rules", unread...),
			s.expect(7, "nflog_rule_packets_total", unread...),
			s.expect(1, "nflog_rules_unread", "group", "101"),
			s.expectOwn(0, "nflog_ruleset_changes_total"),
		} {
			if want != nil {
				return want
			}
		}
		return nil
	})
	_, err = traffic.Flood(t.Context(), ns, toPort(loopback4), 3, 10, 0)
	must(t, err)
	e.eventually(t, startTimeout, func(s scrape) error { return s.expect(10, "nflog_rule_packets_total", read...) })

	off := start(t, ns, "--web.listen-address=:10101", "--nflog.group=102", "--no-collector.ruleset")
	s, err := off.scrape(t.Context())
	must(t, err)
	for name := range s {
		if strings.HasPrefix(name, "nflog_rule") {
			t.Errorf("%s is there with --no-collector.ruleset", name)
		}
	}
}

// runIn runs a program in a namespace.
func runIn(t *testing.T, ns *netns.NS, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, program), args...)
	must(t, ns.Start(cmd))
	must(t, cmd.Wait())
}

// TestIntegrationRulesSwapped replaces thousands of rules every second while packets are logged. All changes and packets are counted,
// there are never more or fewer rules, and that costs little. With NFLOG_E2E_PERIOD, it goes on for so long with 22,000 rules, after
// as long without the exporter: swaps must take no longer with it.
func TestIntegrationRulesSwapped(t *testing.T) {
	const (
		perChain  = 11    // one of each chain's rules logs
		maxShare  = 0.005 // of a CPU
		maxGrowth = 8 << 20
		maxSlower = 1.1
	)
	kerneltest.NeedLargeMessages(t)
	chains, period, long := 500, 10*time.Second, false
	if value := os.Getenv(periodVar); value != "" {
		var err error
		period, err = time.ParseDuration(value)
		must(t, err)
		chains, long = 2000, true
	}
	ns := kerneltest.NS(t)
	b := logOutput(t, ns, "counted")
	file := filepath.Join(t.TempDir(), "rules.nft")
	must(t, os.WriteFile(file, []byte(swappedRules(chains, perChain)), 0o600))
	swap := func() time.Duration {
		began := time.Now()
		runIn(t, ns, "nft", "-f", file)
		return time.Since(began)
	}
	swap()
	var alone time.Duration
	if long {
		alone = median(everySecond(period, swap))
	}

	program := built(t, released)
	without := startBinary(t, ns, program, "--web.listen-address=:10101", "--nflog.group=102", "--no-collector.ruleset")
	e := startBinary(t, ns, program)
	count := func(s scrape) error {
		n := 0
		for _, m := range s["nflog_rules"].GetMetric() {
			n += int(m.GetGauge().GetValue())
		}
		if want := chains + 1; n != want {
			return fmt.Errorf("%d rules that log, want %d", n, want)
		}
		return nil
	}
	e.eventually(t, startTimeout, count)
	const logged = 100 // a second
	sent := make(chan error, 1)
	go func() {
		_, err := traffic.Flood(t.Context(), ns, toPort(loopback4), logged*int(period.Seconds()), 10, logged)
		sent <- err
	}()

	began, cpu, cpuWithout := time.Now(), e.cpu(t), without.cpu(t)
	var memory float64
	swaps := 0
	took := everySecond(period, func() time.Duration {
		d := swap()
		swaps++
		if swaps%10 == 5 { // few: it is not about the cost of scrapes
			s, err := e.scrape(t.Context())
			must(t, err, count(s))
			if memory == 0 {
				memory = s.ownValue("process_resident_memory_bytes")
			}
			_, err = without.scrape(t.Context())
			must(t, err)
		}
		return d
	})
	passed := time.Since(began)
	cpu, cpuWithout = e.cpu(t)-cpu, without.cpu(t)-cpuWithout
	must(t, <-sent)
	share := (cpu - cpuWithout).Seconds() / passed.Seconds()
	t.Logf("%d swaps of %d rules, in %v by the median: %v of CPU time in %v, %v without the rules: %.2f %%",
		swaps, chains*perChain, median(took), cpu, passed, cpuWithout, 100*share)
	if long {
		t.Logf("swaps without the exporter took %v by the median", alone)
		if ratio := median(took).Seconds() / alone.Seconds(); ratio > maxSlower {
			t.Errorf("swaps take %.2f times as long with the exporter, want at most %v", ratio, maxSlower)
		}
	}

	b.check(t, e)
	s := e.eventually(t, 3*startTimeout, func(s scrape) error { return s.expectOwn(float64(swaps), "nflog_ruleset_changes_total") })
	if grown := s.ownValue("process_resident_memory_bytes") - memory; grown > maxGrowth {
		t.Errorf("memory has grown by %.1f MiB", grown/(1<<20))
	}
	if share > maxShare {
		t.Errorf("the rules cost %.2f %% of a CPU, want at most %.2f %%", 100*share, 100*maxShare)
	}
}

// swappedRules returns a script for nft that replaces all rules of a table by new ones. One of each chain logs.
func swappedRules(chains, perChain int) string {
	var rules strings.Builder
	rules.WriteString("table ip swapped\ndelete table ip swapped\ntable ip swapped {\n")
	for c := range chains {
		fmt.Fprintf(&rules, "chain c%d {\n", c)
		for r := range perChain - 1 {
			fmt.Fprintf(&rules, "ip saddr 10.0.%d.%d tcp dport %d counter accept\n", c%256, r, c)
		}
		fmt.Fprintf(&rules, "counter log prefix \"policy %d\" group 101\n}\n", c)
	}
	rules.WriteString("}\n")
	return rules.String()
}

// everySecond calls a function each second, and returns its results.
func everySecond(period time.Duration, fn func() time.Duration) (results []time.Duration) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < period; <-ticker.C {
		results = append(results, fn())
	}
	return results
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}
