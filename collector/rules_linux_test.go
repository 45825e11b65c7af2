// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// ruleSamples returns the samples about rules.
func ruleSamples(t *testing.T, c *Collector) map[string]float64 {
	t.Helper()
	all := samples(t, c)
	maps.DeleteFunc(all, func(name string, _ float64) bool { return !strings.HasPrefix(name, "nflog_rule") })
	return all
}

// nft loads rules in a namespace.
func nft(t *testing.T, ns *netns.NS, rules string) {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestIntegrationRules changes the rules of two namespaces, and the groups that are read.
func TestIntegrationRules(t *testing.T) {
	t.Parallel()
	blue, green := kerneltest.NS(t), kerneltest.NS(t)
	nft(t, blue, `table inet t { chain out { type filter hook output priority 0; udp dport 9 counter log prefix "udp " group 100 comment "some"; }; }`)
	nft(t, green, `table ip t { chain out { log group 101; }; }`)
	groups := func(numbers ...uint16) []GroupConfig {
		var groups []GroupConfig
		for _, ns := range []*netns.NS{blue, green} {
			for _, number := range numbers {
				groups = append(groups, promptGroup(number, ns.Path()))
			}
		}
		return groups
	}
	sample := func(name string, ns *netns.NS, labels string) string {
		return strings.ReplaceAll(fmt.Sprintf("%s{%s}", name, labels), "NS", ns.Path())
	}
	send(t, blue, "127.0.0.1:9", 3)
	r := start(t, Config{Groups: groups(100)})
	const udp = `chain="out",comment="some",family="inet",group="100",netns="NS",prefix="udp",table="t"`
	r.wait(map[string]float64{
		sample("nflog_rules", blue, udp):                              1,
		sample("nflog_rule_packets_total", blue, udp):                 3,
		sample("nflog_rules_unread", blue, `group="100",netns="NS"`):  0,
		sample("nflog_rules_unread", green, `group="100",netns="NS"`): 0,
		sample("nflog_rules_unread", green, `group="101",netns="NS"`): 1,
		sample("nflog_ruleset_changes_total", blue, `netns="NS"`):     0,
	})

	// A counter, a reader, and another rule.
	send(t, blue, "127.0.0.1:9", 4)
	mustReload(t, r.c, groups(100, 101))
	nft(t, green, `add rule ip t out log prefix "new" group 102 queue-threshold 7`)
	r.wait(map[string]float64{
		sample("nflog_rule_packets_total", blue, udp):                 7,
		sample("nflog_rules_unread", green, `group="101",netns="NS"`): 0,
		sample("nflog_rules_unread", green, `group="102",netns="NS"`): 1,
		sample("nflog_ruleset_changes_total", green, `netns="NS"`):    1,
		sample("nflog_ruleset_changes_total", blue, `netns="NS"`):     0,
	})
	if s := r.c.Status().Firewalls[1]; !s.Known || s.Reason != "" || len(s.Rules) != 2 || s.Rules[1].Threshold != 7 || !s.Rules[1].Unread {
		t.Errorf("unexpected state %+v", s)
	}

	// All rules are gone, and then a namespace is not read any more.
	nft(t, blue, "flush ruleset")
	kerneltest.Eventually(t, patience, func() error {
		got := samples(t, r.c)
		if _, ok := got[sample("nflog_rules", blue, udp)]; ok || got[sample("nflog_ruleset_changes_total", blue, `netns="NS"`)] != 1 {
			return fmt.Errorf("the rule is still there: %v", got)
		}
		return nil
	})
	mustReload(t, r.c, groups(101)[1:])
	if got := ruleSamples(t, r.c); len(got) != 6 {
		t.Errorf("unexpected metrics: %v", got)
	}
}

// TestNoRuleset checks that there are no metrics of rules if they are not looked at.
func TestNoRuleset(t *testing.T) {
	c := mustNew(t, Config{Groups: []GroupConfig{{Group: 100}}, NoRuleset: true})
	if got := c.Status().Firewalls; len(got) != 0 {
		t.Errorf("unexpected firewalls: %+v", got)
	}
	if got := ruleSamples(t, c); len(got) != 0 {
		t.Errorf("unexpected metrics: %v", got)
	}
}

// TestIntegrationRulesForbidden runs a collector without CAP_NET_ADMIN: it says so once, and has no metrics of rules.
func TestIntegrationRulesForbidden(t *testing.T) {
	t.Parallel()
	if !inChild(t, 0) {
		return
	}
	r := start(t, Config{Groups: []GroupConfig{{Group: 100}}})
	kerneltest.Eventually(t, patience, func() error {
		if s := r.c.Status().Firewalls[0]; s.Known || !strings.Contains(s.Reason, "CAP_NET_ADMIN") {
			return fmt.Errorf("unexpected state %+v", s)
		}
		return nil
	})
	if got := ruleSamples(t, r.c); len(got) != 0 {
		t.Errorf("unexpected metrics: %v", got)
	}
	if lines := r.logs.with("level=warn", "It is not known which firewall rules log", "CAP_NET_ADMIN"); len(lines) != 1 {
		t.Errorf("%d warnings, want one: %q", len(lines), lines)
	}
}

// TestIntegrationRulesContainer reads the rules of a network namespace as its root alone.
func TestIntegrationRulesContainer(t *testing.T) {
	t.Parallel()
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	cmd := exec.Command(kerneltest.Require(t, "nft"), "add table t; add chain t c; add rule t c log group 5")
	if err := cmd.Run(); err != nil {
		kerneltest.Skip(t, "nft does not work in a user namespace: "+err.Error())
	}
	r := start(t, Config{Groups: []GroupConfig{promptGroup(100, "")}})
	r.wait(map[string]float64{
		`nflog_rules{chain="c",comment="",family="ip",group="5",prefix="",table="t"}`: 1,
		`nflog_rules_unread{group="5"}`:                                               1, `nflog_rules_unread{group="100"}`: 0,
	})
}
