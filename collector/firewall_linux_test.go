// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

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
	if s := r.c.Firewalls()[1]; !s.Known || s.Reason != "" || len(s.Rules) != 2 || s.Rules[1].Threshold != 7 || !s.Rules[1].Unread {
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

// TestIntegrationRulesForbidden runs a collector without CAP_NET_ADMIN: it says so once, and has no metrics of rules.
func TestIntegrationRulesForbidden(t *testing.T) {
	t.Parallel()
	if !inChild(t, 0) {
		return
	}
	r := start(t, Config{Groups: []GroupConfig{{Group: 100}}})
	kerneltest.Eventually(t, patience, func() error {
		if s := r.c.Firewalls()[0]; s.Known || !strings.Contains(s.Reason, "CAP_NET_ADMIN") {
			return fmt.Errorf("unexpected state %+v", s)
		}
		return nil
	})
	f := r.c.firewalls[0]
	if err := f.watch(t.Context()); f.onFailed(err) != firewallHopelessRetry {
		t.Errorf("unexpected error: %v", err)
	}
	checkRuleSamples(t, r.c, map[string]float64{})
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

// TestFirewallFails checks what is said, how often, and how soon the rules are looked at again.
func TestFirewallFails(t *testing.T) {
	logs := &logRecorder{}
	f := newFirewall("blue", logs, func() {})
	for _, tt := range []struct {
		err    error
		wait   time.Duration
		reason string
		lines  int
	}{
		{nil, 0, "not read yet", 0},
		{fmt.Errorf("%w: %w", errNamespace, unix.ENOENT), firewallNamespaceRetry, "no such file", 0},
		{errors.New("broken"), firewallRetry, "broken", 1},
		{errors.New("broken"), firewallRetry, "broken", 1},
		{fmt.Errorf("%w (%w)", ruleset.ErrUnsupported, unix.EINVAL), firewallHopelessRetry, "no nf_tables", 2},
	} {
		if wait := f.onFailed(tt.err); wait != tt.wait {
			t.Errorf("%v: waits for %v, want %v", tt.err, wait, tt.wait)
		}
		if got := f.currentReason(); !strings.Contains(got, tt.reason) {
			t.Errorf("%v: unexpected reason %q", tt.err, got)
		}
		if lines := logs.with("netns=blue"); len(lines) != tt.lines {
			t.Errorf("%v: %d lines in the log, want %d: %q", tt.err, len(lines), tt.lines, lines)
		}
	}
}
