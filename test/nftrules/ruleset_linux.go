// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nftrules

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// tableName is the name of all tables that this package makes.
const tableName = "nflog"

// A Ruleset holds the chains and rules of a network namespace. A namespace must not
// have more than one. A Ruleset is not safe for concurrent use, but Count is after
// Apply.
type Ruleset struct {
	ns     *netns.NS
	conn   nftables.Conn // collects messages for Apply
	chains int
	rules  int
	err    error
}

// New returns an empty Ruleset for ns, which must stay open while the Ruleset is
// used.
func New(ns *netns.NS) *Ruleset {
	return &Ruleset{ns: ns}
}

// A Chain describes a base chain. Hook is required, and Device is required for the
// family Netdev and for the hooks Ingress and Egress.
type Chain struct {
	Family   Family // zero means INet
	Hook     Hook
	Priority int32  // lower runs earlier
	Device   string // name of an interface
	Drop     bool   // policy drop instead of accept
	NAT      bool   // of type nat, for Redirect and Masquerade
}

// A ChainRules adds rules to a chain.
type ChainRules struct {
	ruleset *Ruleset
	chain   *nftables.Chain
}

// Chain adds a chain. Apply returns the error if c is invalid.
func (rs *Ruleset) Chain(c Chain) *ChainRules {
	if c.Family == 0 {
		c.Family = INet
	}
	number, err := c.Hook.number(c.Family)
	if err != nil {
		rs.err = errors.Join(rs.err, err)
	}
	policy := nftables.ChainPolicyAccept
	if c.Drop {
		policy = nftables.ChainPolicyDrop
	}
	chainType := nftables.ChainTypeFilter
	if c.NAT {
		chainType = nftables.ChainTypeNAT
	}
	table := rs.conn.AddTable(&nftables.Table{Name: tableName, Family: nftables.TableFamily(c.Family)})
	rs.chains++
	chain := rs.conn.AddChain(&nftables.Chain{
		Name:     fmt.Sprintf("chain-%d", rs.chains),
		Table:    table,
		Type:     chainType,
		Hooknum:  new(nftables.ChainHook(number)),
		Priority: new(nftables.ChainPriority(c.Priority)),
		Policy:   &policy,
		Device:   c.Device,
	})
	return &ChainRules{ruleset: rs, chain: chain}
}

// A Rule is a rule with a counter of its own.
type Rule struct {
	chain   *ChainRules
	comment string // identifies the rule in its chain
}

// Log adds a rule that counts the packets that match every part, and logs them to
// an NFLOG group, with a prefix unless that is empty.
func (c *ChainRules) Log(group uint16, prefix string, parts ...Part) *Rule {
	return c.Rule(append([]Part{logTo(group, prefix)}, parts...)...)
}

// Rule adds a rule of these parts, which counts the packets that it matches.
func (c *ChainRules) Rule(parts ...Part) *Rule {
	s := spec{family: Family(c.chain.Table.Family)}
	for _, part := range parts {
		part(&s)
	}
	exprs := slices.Concat(s.matches, []expr.Any{&expr.Counter{}}, s.marks)
	if s.log != nil {
		exprs = append(exprs, s.log)
	}
	exprs = append(exprs, s.verdict...)

	rs := c.ruleset
	rs.rules++
	rule := &Rule{chain: c, comment: fmt.Sprintf("rule %d", rs.rules)}
	rs.conn.AddRule(&nftables.Rule{
		Table:    c.chain.Table,
		Chain:    c.chain,
		Exprs:    exprs,
		UserData: userdata.AppendString(nil, userdata.TypeComment, rule.comment),
	})
	return rule
}

// Apply installs the chains and rules that were added since the last Apply, in one
// transaction.
func (rs *Ruleset) Apply() error {
	if rs.err != nil {
		return fmt.Errorf("apply rules: %w", rs.err)
	}
	if err := rs.flush(); err != nil {
		return fmt.Errorf("apply rules: %w", err)
	}
	return nil
}

// Clear removes all tables of the namespace, with their chains and rules, in one
// transaction.
func (rs *Ruleset) Clear() error {
	rs.conn.FlushRuleset()
	if err := rs.flush(); err != nil {
		return fmt.Errorf("clear rules: %w", err)
	}
	return nil
}

// flush sends the messages that the connection has collected.
func (rs *Ruleset) flush() error {
	// Not by the connection's NetNS: it returns to the original namespace, which a
	// process in a user namespace may not enter.
	return rs.ns.Do(rs.conn.Flush)
}

// Count reads the rule's counter: the packets that it has matched since Apply, and
// the sum of their lengths. In the families INet, IPv4, IPv6 and Bridge, the length
// begins at the network header; elsewhere it can include the link header.
func (r *Rule) Count() (packets, bytes uint64, err error) {
	installed, err := r.chain.installed()
	if err != nil {
		return 0, 0, err
	}
	count, err := r.find(installed)
	return count.Packets, count.Bytes, err
}

// installed returns the rules of a chain as they are in the kernel.
func (c *ChainRules) installed() (rules []*nftables.Rule, err error) {
	err = c.ruleset.ns.Do(func() (err error) {
		var conn nftables.Conn
		rules, err = conn.GetRules(c.chain.Table, c.chain)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read counters of %s: %w", c.chain.Name, err)
	}
	return rules, nil
}

// find returns the counter of the rule among the installed rules of its chain.
func (r *Rule) find(installed []*nftables.Rule) (Count, error) {
	for _, rule := range installed {
		comment, _ := userdata.GetString(rule.UserData, userdata.TypeComment)
		if comment != r.comment {
			continue
		}
		for _, e := range rule.Exprs {
			if counter, ok := e.(*expr.Counter); ok {
				return Count{Packets: counter.Packets, Bytes: counter.Bytes}, nil
			}
		}
	}
	return Count{}, fmt.Errorf("read counter of %s: %s has no such rule", r.comment, r.chain.chain.Name)
}

// A Count holds the counter of a rule.
type Count struct {
	Packets, Bytes uint64
}

// Counts reads the counters of several rules, all of a chain at once; see
// [Rule.Count].
func Counts[K comparable](rules map[K]*Rule) (map[K]Count, error) {
	counts := make(map[K]Count, len(rules))
	chains := make(map[*ChainRules][]*nftables.Rule)
	for key, rule := range rules {
		installed, ok := chains[rule.chain]
		if !ok {
			var err error
			if installed, err = rule.chain.installed(); err != nil {
				return nil, err
			}
			chains[rule.chain] = installed
		}
		count, err := rule.find(installed)
		if err != nil {
			return nil, err
		}
		counts[key] = count
	}
	return counts, nil
}
