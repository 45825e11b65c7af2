// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// run runs a program in a namespace, and returns its output.
func run(t *testing.T, ns *netns.NS, input, program string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(kerneltest.Require(t, program), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := ns.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, stderr.String())
	}
	return stdout.Bytes()
}

// connect returns a Conn of a namespace.
func connect(t *testing.T, ns *netns.NS) *Conn {
	t.Helper()
	c, err := Open(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// list lists the rules that log, and checks that their counters read alike one by one.
func list(t *testing.T, c *Conn) *listing {
	t.Helper()
	generation, err := c.generation()
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.dump(generation, never)
	if err != nil {
		t.Fatal(err)
	}
	packets := make([]uint64, len(l.packets))
	if gone, err := c.updatePackets(l.rules, packets, never); err != nil || gone {
		t.Fatalf("counters can't be read: gone %t, error %v", gone, err)
	}
	if diff := cmp.Diff(l.packets, packets); diff != "" {
		t.Errorf("unexpected counters by handle (-dump +handle):\n%s", diff)
	}
	return l
}

const allFamilies = `
table inet filter {
	chain output {
		type filter hook output priority 0
		udp dport 9 counter log prefix "inet udp " group 100 comment "first rule"
		udp dport 9 counter limit rate 1/hour burst 1 packets log prefix "limited" group 101 snaplen 64 queue-threshold 20
		udp dport 9 log prefix "late" group 102 counter
		udp dport 9 log prefix "to the kernel's log" counter
		jump other
	}
	chain other {
		counter log group 65535
	}
	chain ingress {
		type filter hook ingress device lo priority 0
		log prefix "ingress" group 103
	}
}
table ip six {
	chain post { type filter hook postrouting priority 0; counter log prefix "\xff\x01 bytes" group 104; }
}
table ip6 six {
	chain pre { type filter hook prerouting priority 0; ip6 nexthdr udp counter log prefix "v6" group 0; }
}
table bridge b {
	chain forward { type filter hook forward priority 0; counter log prefix "bridge" group 105; }
}
table arp a {
	chain out { type filter hook output priority 0; counter log prefix "arp" group 106; }
}
table netdev n {
	chain in { type filter hook ingress device lo priority 0; counter log prefix "netdev" group 107; }
}
table inet dormant {
	flags dormant
	chain output { type filter hook output priority 0; counter log prefix "asleep" group 108; }
}
`

// A listed rule is what nft and this package both say of a rule that logs.
type listed struct {
	Family, Table, Chain, Comment, Prefix string
	Handle, Group, Snaplen, Threshold     uint64
	Hook                                  string
	Packets                               string
}

// listJSON returns what nft says of the rules that log.
func listJSON(t *testing.T, ns *netns.NS) []listed {
	t.Helper()
	var output struct {
		NFTables []struct {
			Chain *struct{ Family, Table, Name, Hook string }
			Rule  *struct {
				Family, Table, Chain, Comment string
				Handle                        uint64
				Expr                          []struct {
					Log *struct {
						Prefix         string
						Group, Snaplen *uint64
						Threshold      uint64 `json:"queue-threshold"`
					}
					Counter *struct{ Packets uint64 }
				}
			}
		}
	}
	if err := json.Unmarshal(run(t, ns, "", "nft", "-j", "list", "ruleset"), &output); err != nil {
		t.Fatal(err)
	}
	hooks := make(map[string]string)
	var rules []listed
	for _, o := range output.NFTables {
		if c := o.Chain; c != nil {
			hooks[c.Family+" "+c.Table+" "+c.Name] = c.Hook
		}
		if o.Rule == nil || o.Rule.Table == "dormant" {
			continue
		}
		r := listed{Family: o.Rule.Family, Table: o.Rule.Table, Chain: o.Rule.Chain, Comment: o.Rule.Comment, Handle: o.Rule.Handle, Packets: "-"}
		r.Hook = hooks[r.Family+" "+r.Table+" "+r.Chain]
		logs := false
		for _, e := range o.Rule.Expr {
			if e.Counter != nil {
				r.Packets = strconv.FormatUint(e.Counter.Packets, 10)
			}
			if e.Log != nil && e.Log.Group != nil {
				logs = true
				r.Prefix, r.Group, r.Threshold = e.Log.Prefix, *e.Log.Group, e.Log.Threshold
				if e.Log.Snaplen != nil {
					r.Snaplen = *e.Log.Snaplen
				}
			}
		}
		if logs {
			rules = append(rules, r)
		}
	}
	return rules
}

// hookNames are nft's words for hooks by number.
var hookNames = map[Family][]string{
	INet: {"prerouting", "input", "forward", "output", "postrouting", "ingress"},
	IPv4: {"prerouting", "input", "forward", "output", "postrouting"}, IPv6: {"prerouting", "input", "forward", "output", "postrouting"},
	Bridge: {"prerouting", "input", "forward", "output", "postrouting"}, ARP: {"input", "output"}, Netdev: {"ingress", "egress"},
}

// asListed returns the rules of a listing in the form of listJSON.
func asListed(l *listing) []listed {
	var rules []listed
	for i := range l.rules {
		r := &l.rules[i]
		packets, hook := "-", ""
		if r.Counted {
			packets = strconv.FormatUint(l.packets[i], 10)
		}
		if r.Hook != NoHook {
			hook = hookNames[r.Family][r.Hook]
		}
		rules = append(rules, listed{
			Family: r.Family.String(), Table: r.Table, Chain: r.Chain, Comment: r.Comment, Prefix: r.Prefix,
			Handle: r.Handle, Group: uint64(r.Group), Snaplen: uint64(r.Snaplen), Threshold: uint64(r.Threshold), Hook: hook, Packets: packets,
		})
	}
	return rules
}

// TestIntegrationFamilies compares rules of all families, after traffic, with what nft lists.
func TestIntegrationFamilies(t *testing.T) {
	ns := kerneltest.NS(t)
	run(t, ns, strings.ReplaceAll(allFamilies, `\xff\x01`, "caf\u00e9"), "nft", "-f", "-")
	for _, to := range []string{"127.0.0.1:9", "[::1]:9"} {
		send(t, ns, to, 5)
	}
	want := listJSON(t, ns)
	if len(want) != 10 || want[0].Packets != "10" {
		t.Fatalf("unexpected rules of nft: %+v", want)
	}
	if diff := cmp.Diff(want, asListed(list(t, connect(t, ns)))); diff != "" {
		t.Errorf("unexpected rules (-nft +got):\n%s", diff)
	}
}

// send sends UDP packets.
func send(t *testing.T, ns *netns.NS, to string, n int) {
	t.Helper()
	if _, err := traffic.Flood(t.Context(), ns, netip.MustParseAddrPort(to), n, 10, 0); err != nil {
		t.Fatalf("failed to send to %s: %v", to, err)
	}
}

// TestIntegrationXtables checks rules of iptables-nft, ip6tables-nft and ebtables-nft.
func TestIntegrationXtables(t *testing.T) {
	ns := kerneltest.NS(t)
	run(t, ns, "", "iptables-nft", "-A", "OUTPUT", "-p", "udp", "--dport", "9", "-m", "comment", "--comment", "by iptables", "-j", "NFLOG",
		"--nflog-group", "100", "--nflog-prefix", "ipt ", "--nflog-threshold", "3", "--nflog-size", "40")
	run(t, ns, "", "iptables-nft", "-t", "mangle", "-A", "OUTPUT", "-m", "limit", "--limit", "10/min", "-j", "NFLOG", "--nflog-group", "101", "--nflog-prefix", "lim ")
	run(t, ns, "", "ip6tables-nft", "-A", "OUTPUT", "-p", "udp", "-j", "NFLOG", "--nflog-group", "102", "--nflog-prefix", "ip6t ")
	run(t, ns, "", "ebtables-nft", "-A", "FORWARD", "--nflog-group", "103", "--nflog-prefix", "ebt ", "-j", "CONTINUE")
	send(t, ns, "127.0.0.1:9", 4)
	send(t, ns, "[::1]:9", 3)

	want := []Rule{
		{Family: IPv4, Table: "filter", Chain: "OUTPUT", Hook: 3, Comment: "by iptables", Group: 100, Prefix: "ipt ", Threshold: 3, Snaplen: 40, Counted: true},
		{Family: IPv4, Table: "mangle", Chain: "OUTPUT", Hook: 3, Group: 101, Prefix: "lim ", Limit: "10/minute burst 5"},
		{Family: IPv6, Table: "filter", Chain: "OUTPUT", Hook: 3, Group: 102, Prefix: "ip6t ", Counted: true},
		// ebtables sets a threshold of 1 unless it is told otherwise.
		{Family: Bridge, Table: "filter", Chain: "FORWARD", Hook: 2, Group: 103, Prefix: "ebt ", Threshold: 1, Counted: true},
	}
	l := list(t, connect(t, ns))
	got := slices.Clone(l.rules)
	for i := range got {
		if got[i].Handle == 0 || got[i].table == 0 {
			t.Errorf("a rule without handle, or without that of its table: %+v", got[i])
		}
		got[i].Handle, got[i].table = 0, 0
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Rule{})); diff != "" {
		t.Errorf("unexpected rules (-want +got):\n%s", diff)
	}
	if want := []uint64{4, 0, 3, 0}; !slices.Equal(l.packets, want) {
		t.Errorf("unexpected counters %v, want %v", l.packets, want)
	}
	// nft shows the watcher of ebtables only as text.
	if text := run(t, ns, "", "nft", "list", "table", "bridge", "filter"); !bytes.Contains(text, []byte(`log prefix "ebt " group 103`)) {
		t.Errorf("nft does not list the rule of ebtables: %s", text)
	}
}

// TestIntegrationBound asks for groups of which one is read, by another socket.
func TestIntegrationBound(t *testing.T) {
	ns := kerneltest.NS(t)
	r, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := connect(t, ns)
	want := map[uint16]bool{99: false, 100: true, 101: false}
	for range 3 { // the question changes nothing
		got, err := c.bound([]uint16{99, 100, 101}, never)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected groups (-want +got):\n%s", diff)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.bound([]uint16{100}, never); err != nil || got[100] {
		t.Errorf("the group is bound after its reader has gone: %v, error %v", got, err)
	}
}

// TestIntegrationGenerations checks that the generation counts changes, and nothing else.
func TestIntegrationGenerations(t *testing.T) {
	ns := kerneltest.NS(t)
	c := connect(t, ns)
	first, err := c.generation()
	if err != nil {
		t.Fatal(err)
	}
	run(t, ns, allFamilies, "nft", "-f", "-")
	run(t, ns, "add set inet filter s { type ipv4_addr; }", "nft", "-f", "-")
	run(t, ns, "", "nft", "list", "ruleset")
	if now, err := c.generation(); err != nil || now != first+2 {
		t.Errorf("generation %d after two changes since %d, error %v", now, first, err)
	}
}

// TestIntegrationNoCapability asks without the capability, and with one that is only permitted.
func TestIntegrationNoCapability(t *testing.T) {
	ns := kerneltest.NS(t)
	run(t, ns, allFamilies, "nft", "-f", "-")
	change := func(change func(*unix.CapUserData)) error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData
		if err := unix.Capget(&header, &sets[0]); err != nil {
			return err
		}
		change(&sets[0])
		return unix.Capset(&header, &sets[0])
	}
	const netAdmin = 1 << unix.CAP_NET_ADMIN
	err := ns.Do(func() error {
		if err := change(func(s *unix.CapUserData) { s.Effective &^= netAdmin }); err != nil {
			return err
		}
		c, err := Open(0)
		if err != nil {
			return err
		}
		defer c.Close()
		generation, err := c.generation()
		if err != nil {
			return fmt.Errorf("permitted: %w", err)
		}
		if l, err := c.dump(generation, never); err != nil || len(l.rules) != 10 {
			return fmt.Errorf("permitted: %+v, error %w", l, err)
		}
		if err := change(func(s *unix.CapUserData) { s.Permitted &^= netAdmin }); err != nil {
			return err
		}
		if _, err := c.generation(); !errors.Is(err, nflog.ErrPermission) {
			return fmt.Errorf("without capability: unexpected error %w", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestIntegrationSwapped reads a ruleset that is replaced again and again: what is published is always exactly one of both. With
// pauses, a listing follows one of them. Without, two listings have to agree.
func TestIntegrationSwapped(t *testing.T) {
	kerneltest.NeedLargeMessages(t)
	for _, tt := range []struct {
		name   string
		pause  time.Duration // at most
		settle bool
	}{
		{name: "pauses", pause: 400 * time.Millisecond, settle: true},
		{name: "short pauses", pause: 40 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			sizes := map[string]int{"a": 600, "b": 900}
			rulesets := map[string]string{"a": swapped("a", sizes["a"]), "b": swapped("b", sizes["b"])}
			run(t, ns, rulesets["a"], "nft", "-f", "-")

			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			swaps := make(chan int, 1)
			go func() {
				n := 0
				for ; ctx.Err() == nil; n++ {
					cmd := exec.Command("nft", "-f", "-")
					cmd.Stdin = strings.NewReader(rulesets[string("ba"[n%2])])
					if err := errors.Join(ns.Start(cmd), cmd.Wait()); err != nil {
						t.Error(err)
					}
					time.Sleep(rand.N(tt.pause))
				}
				swaps <- n
			}()

			published := make(map[string]int)
			interrupted := 0
			var w Watcher
			r := newRounds(&w, connect(t, ns), func(facts *Facts) {
				name := facts.Rules[0].Prefix
				published[name]++
				if len(facts.Rules) != sizes[name] || len(facts.Packets) != sizes[name] {
					t.Fatalf("%d rules and %d counters of ruleset %s, want %d", len(facts.Rules), len(facts.Packets), name, sizes[name])
				}
				for i, rule := range facts.Rules {
					if rule.Prefix != name || rule.table != facts.Rules[0].table {
						t.Fatalf("rule %d of ruleset %s is %+v", i, name, rule)
					}
				}
			})
			r.cpu = func() time.Duration { return 0 } // as often as it can
			for ctx.Err() == nil {
				if !tt.settle {
					r.staleSince = time.Time{}
				}
				if _, err := r.round(t.Context()); err != nil {
					t.Fatal(err)
				}
				if r.stale {
					interrupted++
				}
				time.Sleep(10 * time.Millisecond) // leave the CPU to the swaps
			}
			t.Logf("%d swaps, published %v times, %d times not", <-swaps, published, interrupted)
			if published["a"] == 0 || published["b"] == 0 {
				t.Error("a ruleset was never published")
			}
		})
	}
}

// swapped returns a ruleset that replaces the one before, with n rules that log with the prefix.
func swapped(prefix string, n int) string {
	var b strings.Builder
	b.WriteString("table inet t\ndelete table inet t\ntable inet t {\nchain a {\n")
	for i := range n {
		fmt.Fprintf(&b, "udp dport %d counter log prefix \"%s\" group 100\n", i+1, prefix)
		if i == n/2 {
			b.WriteString("}\nchain b {\n")
		}
	}
	b.WriteString("}\n}\n")
	return b.String()
}

// TestIntegrationLarge reads 22,000 rules of which 2,000 log, and logs what that costs.
func TestIntegrationLarge(t *testing.T) {
	kerneltest.NeedLargeMessages(t)
	ns := kerneltest.NS(t)
	const chains, perChain = 2000, 11
	var b strings.Builder
	b.WriteString("table inet t {\n")
	for c := range chains {
		fmt.Fprintf(&b, "chain c%d {\n", c)
		for r := range perChain - 1 {
			fmt.Fprintf(&b, "ip saddr 10.0.%d.%d tcp dport %d counter accept\n", c%256, r, c)
		}
		fmt.Fprintf(&b, "counter log prefix \"policy %d\" group 100\n}\n", c)
	}
	b.WriteString("}\n")
	run(t, ns, b.String(), "nft", "-f", "-")
	c := connect(t, ns)
	err := ns.Do(func() error { // which stays on its thread
		generation, err := c.generation()
		if err != nil {
			return err
		}
		began := threadTime()
		l, err := c.dump(generation, never)
		if err != nil {
			return err
		}
		dumped := threadTime()
		gone, err := c.updatePackets(l.rules, l.packets, never)
		counted := threadTime()
		if _, err := c.generation(); err != nil {
			return err
		}
		t.Logf("%d of %d rules log: %v of CPU time to list them, %v for their counters, %v for the generation",
			len(l.rules), chains*perChain, dumped-began, counted-dumped, threadTime()-counted)
		if err != nil || gone || len(l.rules) != chains || l.rules[chains-1].Prefix != "policy 1999" {
			return fmt.Errorf("%d rules, gone %t, error %w", len(l.rules), gone, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
