// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// Reload applies other groups, prefix rules and networks, also while Run runs. Groups with the same settings are read on without a
// break. Counts are kept, except those of label sets with a value for a label that is gone.
//
// If it returns an error, nothing has changed.
func (c *Collector) Reload(groups []GroupConfig, rules []prefix.Rule, networks []network.Network) error {
	config := c.config
	config.Groups, config.PrefixRules, config.Networks = groups, rules, networks
	set, err := config.networkSet()
	if err != nil {
		return err
	}
	labelings, common, err := newLabelings(&config, set)
	if err != nil {
		return err
	}

	c.reloading.Lock()
	defer c.reloading.Unlock()
	old := c.groups // only a reload changes it
	var relabelers []*relabeler
	for i, config := range groups {
		if g := find(old, config); g != nil {
			g.table.followAddresses(nil, labelings[i].optional.networks)
			relabelers = append(relabelers, newRelabeler(g.table, labelings[i]))
		}
	}

	// A scrape sees the old groups and labels, or the new ones.
	c.gatherer.mu.Lock()
	defer c.gatherer.mu.Unlock()
	for _, r := range relabelers {
		r.apply(time.Now())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rules, c.networks = rules, set
	c.warnOfUnusedNetworks(len(networks) > 0 && set == nil)
	c.warnOfUnusedRules(len(rules) > 0 && !common.selection.has(labelPrefix))
	c.replaceGroups(groups, labelings, common)
	return nil
}

// SetGroups applies other groups, with the prefix rules and networks that apply already. It does not look at the label sets of groups that
// stay, so it is cheap however many they have. It takes [Config.ChangingNetNS].
//
// If it returns an error, nothing has changed.
func (c *Collector) SetGroups(groups []GroupConfig) error {
	c.reloading.Lock()
	defer c.reloading.Unlock()
	config := c.config
	config.Groups, config.PrefixRules = groups, c.rules // only a reload changes it
	labelings, common, err := newLabelings(&config, c.networks)
	if err != nil {
		return err
	}

	c.gatherer.mu.Lock()
	defer c.gatherer.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replaceGroups(groups, labelings, common)
	return nil
}

// replaceGroups starts the groups that are new, and stops those that are not there any more. Those that stay
// have these labelings already. The caller holds reloading, gatherer.mu and mu.
func (c *Collector) replaceGroups(groups []GroupConfig, labelings []*labeling, common *labeling) {
	old := c.groups
	c.groups = nil
	for i, config := range groups {
		c.groups = append(c.groups, c.apply(old, config, labelings[i]))
	}
	for _, g := range old {
		if !slices.Contains(c.groups, g) && g.stop != nil {
			g.stop(errRemoved)
		}
	}
	c.gatherer.set(c.groups, newFamilies(common, c.config.TopSources > 0))
	c.gatherer.forgetPrefixes(groups)
	if !c.config.NoRuleset {
		c.firewalls.Apply(namespacesOf(groups, labelings), c.rules)
	}
}

// warnOfUnusedRules warns if prefix rules begin to have no effect, and not at each reload, which any client may cause. The
// caller holds mu.
func (c *Collector) warnOfUnusedRules(unused bool) {
	if unused && !c.rulesUnused {
		level.Warn(c.config.Logger).Log("msg", "The prefix rules have no effect, because the label prefix is not selected")
	}
	c.rulesUnused = unused
}

// warnOfUnusedNetworks does the same for networks.
func (c *Collector) warnOfUnusedNetworks(unused bool) {
	if unused && !c.networksUnused {
		level.Warn(c.config.Logger).Log("msg", "The networks have no effect, because neither the label source nor destination is selected")
	}
	c.networksUnused = unused
}

// find returns the group of a configuration, or nil.
func find(groups []*group, config GroupConfig) *group {
	if i := slices.IndexFunc(groups, func(g *group) bool { return g.is(config) }); i >= 0 {
		return groups[i]
	}
	return nil
}

// apply returns the group with this configuration and labeling: the old one if there is one, which has the labeling already, so
// that packets that an ending binding leaves are counted by it. The caller holds mu.
func (c *Collector) apply(old []*group, config GroupConfig, l *labeling) *group {
	if g := find(old, config); g != nil {
		g.reconfigure(config)
		g.table.followAddresses(nil, l.optional.networks)
		return g
	}
	conntrack := l.selection.has(labelConntrackState)
	table := newTable(l, c.gatherer.buckets, c.config.limits())
	table.sources = c.config.sourceCounter()
	g := newGroup(config, table, conntrack, c.config.Logger)
	if c.running != nil {
		c.start(g)
	}
	return g
}

// namespacesOf returns the network namespaces of groups, each once.
func namespacesOf(groups []GroupConfig, labelings []*labeling) []firewall.Namespace {
	var namespaces []firewall.Namespace
	for i, g := range groups {
		at := slices.IndexFunc(namespaces, func(n firewall.Namespace) bool { return n.Name == g.NetNS })
		if at < 0 {
			at = len(namespaces)
			namespaces = append(namespaces, firewall.Namespace{Name: g.NetNS, Labels: labelings[i].firewallLabels()})
		}
		namespaces[at].Groups = append(namespaces[at].Groups, g.Group)
	}
	return namespaces
}

// newLabelings returns the labelings of all groups, and one that has the labels of all.
func newLabelings(config *Config, networks *network.Set) (labelings []*labeling, common *labeling, err error) {
	if err := checkGroups(config); err != nil {
		return nil, nil, err
	}
	for _, g := range config.Groups {
		l, err := newLabeling(config, g, networks)
		if err != nil {
			return nil, nil, err
		}
		labelings = append(labelings, l)
	}
	if len(labelings) > 0 {
		return labelings, labelings[0], nil
	}
	common, err = newLabeling(config, GroupConfig{}, networks)
	return nil, common, err
}

func checkGroups(config *Config) error {
	if len(config.Groups) == 0 && !config.ChangingNetNS {
		return errors.New("no NFLOG group to read")
	}
	for i, g := range config.Groups {
		if slices.ContainsFunc(config.Groups[:i], g.sameGroup) {
			return fmt.Errorf("NFLOG group %d is named twice", g.Group)
		}
	}
	return nil
}
