// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"slices"
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
			g.reconfigure(settings)
			g.table.reconfigure(s)
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

// reconfigure counts packets by another schema from now on. What was counted stays under its labels, to
// which those that are new are added without a value; where one is no more that had a value, it is
// forgotten. The caller keeps others from gathering.
func (t *table) reconfigure(s *schema) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.schema
	t.schema = s
	t.labels = s.groupLabels()
	t.keys.clear()
	if slices.Equal(before.columns.names(), s.columns.names()) {
		return
	}
	// The namespace has become a label, or is none any more.
	all := s.netns != "" && len(before.groupColumns) != len(s.groupColumns)
	t.deleteSets(func(set *labelSet) bool {
		set.series = set.relabel(before.columns, s.columns)
		return all || set.series == nil || set.fold == foldAll // which has a value for each label
	})
	for _, h := range t.histograms {
		// It is in no label set that has a value which it could lose.
		h.series = h.relabel(before.histogram, s.histogram)
	}
	slices.SortFunc(t.sets, func(a, b *labelSet) int { return a.compare(b.values) })
	slices.SortFunc(t.histograms, func(a, b *histogram) int { return a.compare(b.values) })
}

// relabel returns the series with other columns, or nil if it would lose a value.
func (s *series) relabel(from, to columns) *series {
	values := make([]string, len(to))
	for i, c := range from {
		j := slices.IndexFunc(to, func(other column) bool { return other.name == c.name })
		switch {
		case j >= 0:
			values[j] = s.values[i]
		case s.values[i] != "":
			return nil
		}
	}
	return newSeries(to, values, s.created)
}
