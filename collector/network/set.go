// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"cmp"
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// An ID stands for a value of a label: the name of a network, or an address. Equal values of one [Resolver] have equal IDs.
type ID uint32

const (
	none     ID = iota // no address
	other              // in no network
	overflow           // beyond the limit of addresses of its network
	firstNetwork

	firstAddress ID = 1 << 24
)

// MaxNetworks is how many networks a [Set] may have.
const MaxNetworks = 4096

// A Set has the networks of a configuration. It is immutable.
type Set struct {
	table    *bart.Table[ID]
	networks []setNetwork // from firstNetwork on
	followed []followed
}

type setNetwork struct {
	value        string // of labels
	maxAddresses int    // 0 if the network shows its name
	class        bool
}

// A followed interface is one whose networks are part of a network.
type followed struct {
	name string
	id   ID
}

// NewSet returns the set of networks with different names, or of Classes if there are none.
func NewSet(networks []Network) (*Set, error) {
	if len(networks) == 0 {
		networks = Classes()
	}
	if len(networks) > MaxNetworks {
		return nil, fmt.Errorf("%d networks: more than %d", len(networks), MaxNetworks)
	}
	s := &Set{table: &bart.Table[ID]{}}
	names := make(map[string]bool)
	// Classes come last: others may have the same prefix.
	for _, class := range []bool{false, true} {
		for _, n := range networks {
			if n.class != class {
				continue
			}
			if err := CheckName(n.Name); err != nil {
				return nil, fmt.Errorf("network %q: %w", n.Name, err)
			}
			if names[n.Name] {
				return nil, fmt.Errorf("network %q is named twice", n.Name)
			}
			names[n.Name] = true
			s.add(n)
		}
	}
	return s, nil
}

func (s *Set) add(n Network) {
	id := firstNetwork + ID(len(s.networks))
	added := setNetwork{value: prefix.Escape(n.Name), class: n.class}
	if n.ByAddress {
		added.maxAddresses = cmp.Or(n.MaxAddresses, DefaultMaxAddresses)
	}
	s.networks = append(s.networks, added)
	if n.Interface != "" {
		s.followed = append(s.followed, followed{n.Interface, id})
	}
	for _, p := range n.CIDRs {
		s.table.Modify(p.Masked(), func(old ID, ok bool) (ID, bool) {
			if ok {
				return old, false
			}
			return id, false
		})
	}
}

// FollowsInterfaces reports whether the networks of interfaces are part of some networks.
func (s *Set) FollowsInterfaces() bool { return len(s.followed) > 0 }

// network returns the network with an ID.
func (s *Set) network(id ID) *setNetwork { return &s.networks[id-firstNetwork] }

// byAddress reports whether an ID is that of a network that shows addresses.
func (s *Set) byAddress(id ID) bool { return id >= firstNetwork && s.network(id).maxAddresses > 0 }

// with returns the table with the networks of interfaces, in the order of followed. The tables share all else.
func (s *Set) with(networks [][]netip.Prefix) *bart.Table[ID] {
	table := s.table
	for i, of := range networks {
		for _, p := range of {
			// What is there already, of a configured network or of an interface before, stays.
			if old, ok := table.Get(p); !ok || s.network(old).class {
				table = table.InsertPersist(p, s.followed[i].id)
			}
		}
	}
	return table
}
