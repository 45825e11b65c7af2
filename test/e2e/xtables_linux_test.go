// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// A tool is iptables or a program like it.
type tool struct {
	ns   *netns.NS
	path string
	lock string // path of a lock file, as the default one may not be writable
}

// run runs the program.
func (x tool) run(args ...string) (stdout []byte, err error) {
	var out, stderr bytes.Buffer
	cmd := exec.Command(x.path, args...)
	cmd.Env = append(os.Environ(), "XTABLES_LOCKFILE="+x.lock)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := x.ns.Start(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%v: %w: %s", cmd.Args, err, stderr.Bytes())
	}
	return out.Bytes(), nil
}

// A toolRule is a rule with counters that a tool prints.
type toolRule struct {
	tool tool
	list []string       // arguments that list the rule's chain
	line *regexp.Regexp // of the rule, with the counters as groups
}

// Count implements counter.
func (r toolRule) Count() (packets, bytes uint64, err error) {
	out, err := r.tool.run(r.list...)
	if err != nil {
		return 0, 0, err
	}
	found := r.line.FindSubmatch(out)
	if found == nil {
		return 0, 0, fmt.Errorf("no line like %v in %s", r.line, out)
	}
	if packets, err = strconv.ParseUint(string(found[1]), 10, 64); err != nil {
		return 0, 0, err
	}
	bytes, err = strconv.ParseUint(string(found[2]), 10, 64)
	return packets, bytes, err
}

// logXTables logs by the NFLOG target of iptables and ip6tables, both the nft and
// the legacy version, and by the nflog watcher of ebtables. It skips those that are
// not installed.
func (b *book) logXTables(t *testing.T, ns *netns.NS) {
	t.Helper()
	lock := filepath.Join(t.TempDir(), "lock")
	for _, binary := range []struct {
		name string
		log  func(*testing.T, tool)
	}{
		{"iptables-nft", func(t *testing.T, x tool) { b.logIPTables(t, x, "ip", "icmp") }},
		{"iptables-legacy", func(t *testing.T, x tool) { b.logIPTables(t, x, "ip", "icmp") }},
		{"ip6tables-nft", func(t *testing.T, x tool) { b.logIPTables(t, x, "ip6", "icmpv6") }},
		{"ip6tables-legacy", func(t *testing.T, x tool) { b.logIPTables(t, x, "ip6", "icmpv6") }},
		{"ebtables-nft", b.logEBTables},
	} {
		// A subtest, so that a missing program skips only this part.
		t.Run(binary.name, func(t *testing.T) {
			binary.log(t, tool{ns, kerneltest.Require(t, binary.name), lock})
		})
	}
}

// logIPTables logs by iptables or ip6tables.
func (b *book) logIPTables(t *testing.T, x tool, family, icmp string) {
	t.Helper()
	for _, rule := range []struct {
		chain, hook, in, out, protocol string
	}{
		{"INPUT", "input", "eth0", "", "udp"},
		{"INPUT", "input", "eth0", "", "tcp"},
		{"FORWARD", "forward", "eth0", "eth1", "udp"},
		{"FORWARD", "forward", "eth1", "eth0", "tcp"},
		{"OUTPUT", "output", "", "eth0", icmp},
	} {
		args := []string{"-A", rule.chain, "-p", rule.protocol}
		if rule.in != "" {
			args = append(args, "-i", rule.in)
		}
		if rule.out != "" {
			args = append(args, "-o", rule.out)
		}
		prefix := fmt.Sprintf("%s %s %s", filepath.Base(x.path), rule.chain, rule.protocol)
		// Many rules end their prefix with a space, for readable logs.
		args = append(args, "-j", "NFLOG", "--nflog-group", strconv.Itoa(group), "--nflog-prefix", prefix+" ")
		_, err := x.run(args...)
		must(t, err)
		b.add(
			toolRule{
				tool: x,
				list: []string{"-v", "-S", rule.chain},
				line: regexp.MustCompile(`(?m)^-A .* -c (\d+) (\d+) .*"` + regexp.QuoteMeta(prefix) + ` "`),
			},
			labels{Prefix: prefix, Family: family, Hook: rule.hook, In: rule.in, Out: rule.out, Protocol: rule.protocol},
		)
	}
}

// logEBTables logs by ebtables.
func (b *book) logEBTables(t *testing.T, x tool) {
	t.Helper()
	for _, rule := range []struct{ match, protocol string }{
		{"IPv4", "udp"},
		{"ARP", "arp"},
	} {
		prefix := "ebtables " + rule.match
		_, err := x.run("-A", "INPUT", "-p", rule.match, "--nflog-group", strconv.Itoa(group), "--nflog-prefix", prefix, "-j", "CONTINUE")
		must(t, err)
		b.add(
			toolRule{
				tool: x,
				list: []string{"-L", "INPUT", "--Lc"},
				line: regexp.MustCompile(`"` + regexp.QuoteMeta(prefix) + `".*pcnt = (\d+) -- bcnt = (\d+)`),
			},
			labels{Prefix: prefix, Family: "bridge", Hook: "input", In: "br0", Protocol: rule.protocol},
		)
	}
}
