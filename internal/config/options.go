// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads the command line and the configuration file, also again while the exporter runs.
package config

import (
	"fmt"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

const (
	// Program is the name of the exporter.
	Program = "nflog_exporter"

	// Description is one line about the exporter.
	Description = "Prometheus exporter for what Linux firewalls log to NFLOG groups."
)

// Options holds the parsed command line.
type Options struct {
	Web Web

	ConfigFile     string        // path, empty for none
	ReloadInterval time.Duration // between looks at the file for changes, 0 for never
	ConfigCheck    bool

	LogLevel  string // debug, info, warn or error
	LogFormat string // logfmt or json

	groups    []uint16
	groupsSet bool                  // whether the command line has groups
	netns     []string              // as in collector.GroupConfig, or patterns
	maxNetNS  int                   // that match patterns
	found     namespaces            // that match patterns now
	settings  collector.GroupConfig // defaults of each group; Group and NetNS are zero
	collector collector.Config      // without what the file has

	checkPrefixes   []string
	checkInterfaces []string

	inForce []Setting

	reader  fileReader
	hasFile bool       // whether Load found something in the configuration file
	loaded  fileStates // what Load read
}

// Load reads the configuration file, if there is one, and returns the configuration of the collector with what the file
// and the command line say. Its Logger is nil.
//
// Warnings are returned also beside an error. The error is of type [Diagnostics] if the file has mistakes, and a [FlagError]
// if the file can't be read.
func (o *Options) Load() (c collector.Config, warnings []Diagnostic, err error) {
	var f file
	if o.ConfigFile != "" {
		o.loaded = make(fileStates)
		data, err := o.readFile(o.loaded)
		if err != nil {
			return collector.Config{}, nil, err
		}
		if f, warnings, err = o.parse(data, o.loaded); err != nil {
			return collector.Config{}, warnings, err
		}
		o.hasFile = !f.Empty
	}
	c = o.collector
	c.ChangingNetNS = o.hasPatterns()
	o.found.matches, _ = o.findNamespaces()
	o.found.groups = f.Groups
	c.Groups = o.groupConfigs(f.Groups)
	c.PrefixRules = f.Rules
	c.Networks = f.Networks
	return c, warnings, nil
}

// readFile reads the configuration file, and notes its state.
func (o *Options) readFile(states fileStates) ([]byte, error) {
	data, err := states.read(&o.reader, o.ConfigFile, maxFile)
	if err != nil {
		return nil, &FlagError{Flag: "config.file", Value: o.ConfigFile, Err: fmt.Errorf("must be a valid configuration file: %w", err)}
	}
	return data, nil
}

// parse parses the configuration file, and notes the states of files that it names.
func (o *Options) parse(data []byte, states fileStates) (file, []Diagnostic, error) {
	return parseFile(o.ConfigFile, data, o.settings, o.groupsSet, func(path string) ([]byte, error) {
		return states.read(&o.reader, path, maxListFile)
	})
}

// groupConfigs returns the groups of the configuration file, or those of the flags if it has none, in each network
// namespace that there is.
func (o *Options) groupConfigs(groups []collector.GroupConfig) []collector.GroupConfig {
	if len(groups) == 0 {
		for _, number := range o.groups {
			g := o.settings
			g.Group = number
			groups = append(groups, g)
		}
	}
	var configs []collector.GroupConfig
	for _, netns := range o.namespaces() {
		for _, g := range groups {
			g.NetNS = netns
			configs = append(configs, g)
		}
	}
	return configs
}
