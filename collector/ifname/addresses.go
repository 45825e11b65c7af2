// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"maps"
	"net/netip"
	"slices"
)

// FollowAddresses follows the addresses of interfaces from now on. It returns when those that interfaces have now are known, or
// could not be found; then it tries again in the background. It may be called more than once.
func (n *Names) FollowAddresses() { n.followAddresses() }

// Networks returns the networks that the interfaces with a name have addresses in, sorted. It is empty unless FollowAddresses was
// called. When it changes, Generation does, too. Link-local networks of IPv6 are left out: each interface has the same.
func (n *Names) Networks(name string) []netip.Prefix {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var networks []netip.Prefix
	for index, of := range n.networks {
		if n.names[index] == name {
			networks = append(networks, of...)
		}
	}
	slices.SortFunc(networks, netip.Prefix.Compare)
	return slices.Compact(networks)
}

// setNetworks stores the networks of all interfaces, by index, each list sorted.
func (n *Names) setNetworks(networks map[uint32][]netip.Prefix) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !maps.EqualFunc(n.networks, networks, slices.Equal) {
		n.networks = networks
		n.changes.Add(1)
	}
}
