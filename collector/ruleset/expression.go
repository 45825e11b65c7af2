// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A log is what the expressions of a rule say about one of its logs.
type log struct {
	group     uint16
	prefix    []byte
	threshold uint16
	snaplen   uint32
	limit     string
	counted   bool
	packets   uint64

	open bool // a counter that follows counts what was logged: no condition since
}

// A scan is a walk through the expressions of a rule, in the order in which the kernel evaluates them. A packet gets to the next
// one unless the expression ends the rule for it.
type scan struct {
	logs    []log
	comment []byte // by a match of xtables

	limits  []string // so far
	counted bool     // by a counter so far that no condition follows
	packets uint64
	sampled bool // a random number or a sequence was loaded, which will be compared
}

// expressions scans the expressions of a rule.
func (s *scan) expressions(list []byte) {
	*s = scan{logs: s.logs[:0], limits: s.limits[:0]}
	for typ, element := range attributes(list) {
		if typ != listElement {
			continue
		}
		var name, data []byte
		for typ, value := range attributes(element) {
			switch typ {
			case expressionName:
				name = text(value)
			case expressionData:
				data = value
			}
		}
		s.expression(name, data)
	}
}

func (s *scan) expression(name, data []byte) {
	switch string(name) {
	case "log":
		s.log(data)
	case "counter":
		s.counter(be64(attribute(data, counterPackets)))
	case "cmp", "range", "lookup":
		s.condition()
	case "limit":
		s.limited(describeLimit(data))
	case "quota":
		s.limited("quota")
	case "connlimit":
		s.limited("ct count")
	case "numgen":
		s.sampled = true
	case "dynset":
		if attribute(data, dynamicSetExpression) != nil || attribute(data, dynamicSetExpressions) != nil {
			s.limited("meter")
		}
	case "objref":
		switch be32(attribute(data, objectType)) {
		case objectQuota:
			s.limited("quota")
		case objectLimit:
			s.limited("limit")
		case objectConnLimit:
			s.limited("ct count")
		}
	case "match":
		s.match(data)
	case "target":
		s.target(data)
	}
}

// log is nft's own expression, which iptables-nft uses, too.
func (s *scan) log(data []byte) {
	l, toGroup := log{}, false
	for typ, value := range attributes(data) {
		switch typ {
		case logGroup:
			l.group, toGroup = be16(value), true
		case logPrefix:
			l.prefix = text(value)
		case logSnaplen:
			l.snaplen = be32(value)
		case logThreshold:
			l.threshold = be16(value)
		}
	}
	if toGroup { // else to the kernel's log
		s.add(l)
	}
}

// extensionLen is the length of struct xt_nflog_info and struct ebt_nflog_info: a length, the group, the threshold and flags, each
// in the machine's byte order, and a prefix of 64 bytes.
const extensionLen = 12 + 64

// target is a target of xtables, or a watcher of ebtables. ebtables-nft logs by one, and so do old releases of iptables-nft.
func (s *scan) target(data []byte) {
	name, info := text(attribute(data, extensionName)), attribute(data, extensionInfo)
	ofIPTables, ofEBTables := string(name) == "NFLOG", string(name) == "nflog"
	if !ofIPTables && !ofEBTables || len(info) < extensionLen {
		return
	}
	l := log{
		group:     binary.NativeEndian.Uint16(info[4:]),
		threshold: binary.NativeEndian.Uint16(info[6:]),
		prefix:    text(info[12:extensionLen]),
	}
	const copyLen = 1 // XT_NFLOG_F_COPY_LEN
	if ofIPTables && binary.NativeEndian.Uint16(info[8:])&copyLen != 0 {
		l.snaplen = binary.NativeEndian.Uint32(info)
	}
	s.add(l)
}

// match is a match of xtables.
func (s *scan) match(data []byte) {
	switch name := text(attribute(data, extensionName)); string(name) {
	case "comment":
		s.comment = text(attribute(data, extensionInfo))
	case "limit", "hashlimit", "connlimit", "statistic", "quota":
		s.limited(string(name))
	default:
		s.condition()
	}
}

func (s *scan) add(l log) {
	l.limit = strings.Join(s.limits, ", ")
	l.counted, l.packets = s.counted, s.packets
	l.open = !l.counted && len(s.limits) == 0
	s.logs = append(s.logs, l)
}

func (s *scan) counter(packets uint64) {
	if len(s.limits) > 0 {
		return
	}
	s.counted, s.packets = true, packets
	for i := range s.logs {
		if l := &s.logs[i]; l.open {
			l.open, l.counted, l.packets = false, true, packets
		}
	}
}

// condition is an expression that only some packets pass.
func (s *scan) condition() {
	if s.sampled {
		s.sampled = false
		s.limited("numgen")
		return
	}
	s.counted = false
	s.close()
}

// limited is an expression that only so many packets pass. A counter before it counts all that match.
func (s *scan) limited(by string) {
	s.limits = append(s.limits, by)
	s.close()
}

func (s *scan) close() {
	for i := range s.logs {
		s.logs[i].open = false
	}
}

// describeLimit returns a limit as nft writes it, but with bytes as a number.
func describeLimit(data []byte) string {
	var rate, unit uint64
	var burst, typ, flags uint32
	for attr, value := range attributes(data) {
		switch attr {
		case limitRate:
			rate = be64(value)
		case limitUnit:
			unit = be64(value)
		case limitBurst:
			burst = be32(value)
		case limitType:
			typ = be32(value)
		case limitFlags:
			flags = be32(value)
		}
	}
	var b strings.Builder
	if flags&limitInverted != 0 {
		b.WriteString("over ")
	}
	bytes := ""
	if typ == limitBytes {
		bytes = " bytes"
	}
	fmt.Fprintf(&b, "%d%s/%s", rate, bytes, unitName(unit))
	if burst > 0 {
		fmt.Fprintf(&b, " burst %d%s", burst, bytes)
	}
	return b.String()
}

// unitName returns nft's word for a time in seconds.
func unitName(seconds uint64) string {
	switch seconds {
	case 1:
		return "second"
	case 60:
		return "minute"
	case 60 * 60:
		return "hour"
	case 24 * 60 * 60:
		return "day"
	case 7 * 24 * 60 * 60:
		return "week"
	default:
		return fmt.Sprintf("%ds", seconds)
	}
}
