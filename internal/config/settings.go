// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// A Setting is a flag and its value in force.
type Setting struct {
	Name, Value string
	Default     bool // whether the value is the default
}

// Settings returns the flags about groups, the collector and the configuration file. Those about serving and the log are left out:
// a page that anybody may see need not name addresses.
func (o *Options) Settings() []Setting { return slices.Clone(o.inForce) }

// settings returns the flags in force, after these arguments were parsed.
func settings(app *kingpin.Application, args []string) ([]Setting, error) {
	parsed, err := app.ParseContext(args)
	if err != nil {
		return nil, err
	}
	given := make(map[string][]string)
	for _, e := range parsed.Elements {
		if f, ok := e.Clause.(*kingpin.FlagClause); ok {
			name := f.Model().Name
			value := ""
			if e.Value != nil {
				value = *e.Value
			}
			given[name] = append(given[name], value)
		}
	}
	var all []Setting
	for _, f := range app.Model().Flags {
		section, _, _ := strings.Cut(f.Name, ".")
		if f.Hidden || section != "nflog" && section != "collector" && f.Name != "config.file" {
			continue
		}
		s := Setting{Name: "--" + f.Name, Value: strings.Join(f.Default, ", "), Default: true}
		if values, ok := given[f.Name]; ok {
			s.Value, s.Default = strings.Join(values, ", "), false
			if f.IsBoolFlag() {
				s.Value = f.Value.String()
			}
		}
		all = append(all, s)
	}
	return all, nil
}
