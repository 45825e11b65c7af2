// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log/level"
)

// Reload applies other groups and prefix rules, also while Run runs. Groups whose settings stay the same
// are read on without a break. What was counted stays, but under labels that there are no more.
//
// Where it returns an error, nothing has changed.
func (c *Collector) Reload(groups []GroupConfig, rules []PrefixRule) error {
	config := c.config
	config.Groups, config.PrefixRules = groups, rules
	schemas, err := newSchemas(&config)
	if err != nil {
		return err
	}

	if len(rules) > 0 && !schemas[0].selection.has(labelPrefix) {
		level.Warn(c.config.Logger).Log("msg", "The prefix rules have no effect, as the label prefix is not chosen in --collector.labels")
	}

	// Scrapes are made with the old groups and labels, or with the new ones.
	c.gatherer.mu.Lock()
	defer c.gatherer.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.groups
	c.groups = nil
	for i, settings := range groups {
		c.groups = append(c.groups, c.apply(old, settings, schemas[i]))
	}
	for _, g := range old {
		if !slices.Contains(c.groups, g) && g.stop != nil {
			g.stop(errRemoved)
		}
	}
	c.gatherer.groups = c.groups
	c.gatherer.families = newFamilies(schemas[0])
	return nil
}

// apply returns the group of these settings and this schema, which may be there already.
func (c *Collector) apply(old []*group, settings GroupConfig, s *schema) *group {
	for _, g := range old {
		if g.same(settings) {
			// In this order: what a binding that ends has left is counted by the new schema already.
			g.table.reconfigure(s, time.Now())
			g.reconfigure(settings)
			return g
		}
	}
	g := newGroup(settings, newTable(s, c.gatherer.scale, c.config.limits()), c.config.Logger)
	if c.running != nil {
		c.start(g)
	}
	return g
}

// newSchemas returns the schemas of all groups.
func newSchemas(config *Config) ([]*schema, error) {
	if len(config.Groups) == 0 {
		return nil, errors.New("no NFLOG group to read")
	}
	var schemas []*schema
	for i, g := range config.Groups {
		if slices.ContainsFunc(config.Groups[:i], g.same) {
			return nil, fmt.Errorf("NFLOG group %d is named twice", g.Group)
		}
		s, err := newSchema(config, g)
		if err != nil {
			return nil, err
		}
		schemas = append(schemas, s)
	}
	return schemas, nil
}
