// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "strconv"

// A portClass is a value of the label destination_port: a named port, as portNamed plus its number, or a range of
// other ports.
type portClass uint32

const (
	portNone portClass = iota // the packet has no port
	portWellKnown
	portRegistered
	portDynamic

	portNamed portClass = 1 << 16
)

// String returns the value of the label.
func (c portClass) String() string {
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

// A portSet is a set of ports, one bit each.
type portSet [1 << 16 / 64]uint64

func newPortSet(ports []uint16) *portSet {
	s := &portSet{}
	for _, port := range ports {
		s[port/64] |= 1 << (port % 64)
	}
	return s
}

func (s *portSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }

// class returns the class of a port, where the set is the named ones.
func (s *portSet) class(port uint16) portClass {
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
		class = portNamed | portClass(port)
	}
	return class
}
