// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "strconv"

// A PortClass is a value of the label destination_port: a named port, as portNamed plus its number, or a range of
// other ports.
type PortClass uint32

const (
	portNone PortClass = iota // the packet has no port
	portWellKnown
	portRegistered
	portDynamic

	portNamed PortClass = 1 << 16
)

// String returns the value of the label.
func (c PortClass) String() string {
	switch c {
	case portNone:
		return ""
	case portWellKnown:
		return "well-known"
	case portRegistered:
		return "registered"
	case portDynamic:
		return "dynamic"
	default:
		return strconv.Itoa(int(c &^ portNamed))
	}
}

// A PortSet is a set of ports, one bit each.
type PortSet [1 << 16 / 64]uint64

// NewPortSet returns the set of some ports.
func NewPortSet(ports []uint16) *PortSet {
	s := &PortSet{}
	for _, port := range ports {
		s[port/64] |= 1 << (port % 64)
	}
	return s
}

func (s *PortSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }

// Class returns the class of a port, where the set is the named ones.
func (s *PortSet) Class(port uint16) PortClass {
	// The ranges of RFC 6335, section 6.
	const firstRegistered, firstDynamic = 1024, 49152
	class := portWellKnown
	if port >= firstRegistered {
		class = portRegistered
	}
	if port >= firstDynamic {
		class = portDynamic
	}
	if s.has(port) {
		class = portNamed | PortClass(port)
	}
	return class
}
