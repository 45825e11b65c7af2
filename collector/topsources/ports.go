// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"math/bits"
	"slices"
	"strconv"
)

// portClasses tell destination ports apart: some by number, the others by the ranges of RFC 6335, section 6. Each class is a bit, so
// that a counter can have them all.
type portClasses struct {
	bits  [1 << 16]uint8
	names []string // by bit
}

// maxNamedPorts is how many ports have a bit of their own. Further ones share the last.
const maxNamedPorts = 60

func newPortClasses(named []uint16) *portClasses {
	c := &portClasses{}
	named = slices.Compact(slices.Sorted(slices.Values(named)))
	for i, port := range named {
		if i < maxNamedPorts {
			c.names = append(c.names, strconv.Itoa(int(port)))
		}
	}
	first := len(c.names)
	c.names = append(c.names, "well-known", "registered", "dynamic")
	if len(named) > maxNamedPorts {
		c.names = append(c.names, "others of the list")
	}
	for port := range c.bits {
		class := first
		if port >= 1024 {
			class++
		}
		if port >= 49152 {
			class++
		}
		c.bits[port] = uint8(class)
	}
	for i, port := range named {
		if i >= maxNamedPorts {
			i = len(c.names) - 1
		}
		c.bits[port] = uint8(i)
	}
	return c
}

func (c *portClasses) bit(port uint16) uint64 { return 1 << c.bits[port] }

// list returns the names of classes.
func (c *portClasses) list(set uint64) []string {
	names := make([]string, 0, bits.OnesCount64(set))
	for i, name := range c.names {
		if set>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}
