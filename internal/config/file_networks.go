// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/netip"

	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
)

// The names of a network's settings in the file, beside presetSetting.
const (
	nameSetting         = "name"
	cidrsSetting        = "cidrs"
	cidrsFileSetting    = "cidrs_file"
	interfaceSetting    = "interface"
	bySetting           = "by"
	maxAddressesSetting = "max_addresses"
)

// byAddress is the only value of the setting by.
const byAddress = "address"

// A networksReader reads networks, each CIDR of which belongs to one of them.
type networksReader struct {
	*yamlReader
	readList func(path string) ([]byte, error)

	names, interfaces map[string]bool
	owners            map[netip.Prefix]owner
}

// An owner is the network of a CIDR, and where the CIDR is.
type owner struct {
	network int // by its place in the file
	place   string
}

func (r *yamlReader) networks(list field, readList func(string) ([]byte, error)) []network.Network {
	n := &networksReader{yamlReader: r, readList: readList, names: make(map[string]bool), interfaces: make(map[string]bool), owners: make(map[netip.Prefix]owner)}
	var networks []network.Network
	items := r.items(list)
	if len(items) > network.MaxNetworks {
		r.mistake(list.key, "%s: must not have more than %d items", list.name(), network.MaxNetworks)
		return nil
	}
	for i, item := range items {
		fields := r.fields(item, "an item of networks", nameSetting, cidrsSetting, cidrsFileSetting, interfaceSetting, bySetting, maxAddressesSetting, presetSetting)
		if preset, ok := lookup(fields, presetSetting); ok {
			networks = append(networks, n.preset(preset, fields)...)
			continue
		}
		r.require(item, fields, nameSetting)
		networks = append(networks, n.network(i, item, fields))
	}
	if len(n.owners) > maxCIDRs {
		r.mistake(list.key, "%s: must not have more than %d CIDRs, there are %d", list.name(), maxCIDRs, len(n.owners))
	}
	return networks
}

func (r *networksReader) preset(preset field, fields []field) []network.Network {
	for _, f := range fields {
		if f != preset {
			r.mistake(f.key, "%s: must not be given together with %s", f.name(), presetSetting)
		}
	}
	names := oneOf(network.IANA)
	name, ok := r.text(preset, names.allowed)
	if !ok {
		return nil
	}
	if _, ok := names.parse(name); !ok {
		r.mistake(preset.value, "%s=%.100q: %s", presetSetting, name, names.must(name))
		return nil
	}
	classes := network.Classes()
	for _, c := range classes {
		r.checkName(preset.value, c.Name)
	}
	return classes
}

// checkName reports a mistake if a name, which is at this place, can't be that of a network.
func (r *networksReader) checkName(place *yaml.Node, name string) {
	if err := network.CheckName(name); err != nil {
		r.mistake(place, "%s=%.100q: %v", nameSetting, name, err)
		return
	}
	if r.names[name] {
		r.mistake(place, "%s=%.100q: must not be given more than once", nameSetting, name)
	}
	r.names[name] = true
}

// network reads a network, by its place in the file.
func (r *networksReader) network(number int, item *yaml.Node, fields []field) network.Network {
	var n network.Network
	maxAddresses, from := numberBetween[int](1, network.MaxAddressesLimit), false
	for _, f := range fields {
		switch f.name() {
		case nameSetting:
			if name, ok := r.text(f, "a name"); ok {
				n.Name = name
				r.checkName(f.value, name)
			}
		case cidrsSetting:
			from = true
			n.CIDRs = append(n.CIDRs, r.cidrs(number, f)...)
		case cidrsFileSetting:
			from = true
			n.CIDRs = append(n.CIDRs, r.cidrsFile(number, f)...)
		case interfaceSetting:
			from = true
			n.Interface = parsed(r.yamlReader, f, interfaceName())
			if n.Interface != "" && r.interfaces[n.Interface] {
				r.mistake(f.value, "%s=%q: must not be given more than once", f.name(), n.Interface)
			}
			r.interfaces[n.Interface] = true
		case bySetting:
			n.ByAddress = parsed(r.yamlReader, f, oneOf(byAddress)) != ""
		case maxAddressesSetting:
			n.MaxAddresses = parsed(r.yamlReader, f, maxAddresses)
			if _, ok := lookup(fields, bySetting); !ok {
				r.mistake(f.key, "%s: must be given together with %s: %s", f.name(), bySetting, byAddress)
			}
		}
	}
	if !from && item.Kind == yaml.MappingNode {
		r.mistake(item, "%s, %s or %s: must be given", cidrsSetting, cidrsFileSetting, interfaceSetting)
	}
	return n
}

// parsed returns the value of a field, or reports a mistake.
func parsed[T any](r *yamlReader, f field, p valueParser[T]) (value T) {
	text, ok := r.text(f, p.allowed)
	if !ok {
		return value
	}
	value, ok = p.parse(text)
	if !ok {
		r.mistake(f.value, "%s=%.100q: %s", f.name(), text, p.must(text))
	}
	return value
}

// cidrs reads a list of CIDRs of a network.
func (r *networksReader) cidrs(number int, list field) []netip.Prefix {
	var cidrs []netip.Prefix
	items := r.items(list)
	if isNull(list.value) || list.value.Kind == yaml.SequenceNode && len(items) == 0 {
		r.mistake(list.value, "%s: must have an item", list.name())
	}
	for _, item := range items {
		text, ok := r.text(field{list.key, item}, "a network such as 192.0.2.0/24")
		if !ok {
			continue
		}
		p, err := network.ParseCIDR(text)
		if err != nil {
			r.mistake(item, "%s=%.100q: %v", list.name(), text, err)
			continue
		}
		if old, taken := r.owners[p]; taken {
			r.mistake(item, "%s=%.100q: must not be given more than once: it is also in %s", list.name(), text, old.place)
			continue
		}
		r.owners[p] = owner{number, fmt.Sprintf("line %d", item.Line)}
		cidrs = append(cidrs, p)
	}
	return cidrs
}

// cidrsFile reads a file of CIDRs of a network, one a line.
func (r *networksReader) cidrsFile(number int, f field) []netip.Prefix {
	path, ok := r.text(f, "the path of a file")
	if !ok {
		return nil
	}
	path = besideFile(r.path, path)
	data, err := r.readList(path)
	if err != nil {
		r.mistake(f.value, "%s: must be a file that can be read: %v", f.name(), err)
		return nil
	}
	var cidrs []netip.Prefix
	for line, text := range listed(data) {
		mistake := func(format string, args ...any) {
			r.mistakes = append(r.mistakes, Diagnostic{Path: path, Line: line, Column: 1, Text: fmt.Sprintf(format, args...)})
		}
		p, err := network.ParseCIDR(text)
		if err != nil {
			mistake("%.100q: %v", text, err)
			continue
		}
		old, taken := r.owners[p]
		switch {
		case !taken:
			r.owners[p] = owner{number, path}
			cidrs = append(cidrs, p)
		case old.network != number: // lists often have a network twice
			mistake("%v: must not be in two networks: it is also in %s", p, old.place)
		}
	}
	return cidrs
}
