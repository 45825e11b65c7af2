// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "encoding/binary"

// maxHeaders is how many attribute headers a layout can verify: more than a kernel sends.
const maxHeaders = 32

// A layout says where a packet message has its attributes.
//
// Walking a message is bound by latency, since each attribute's length leads to the next. The
// messages of one rule on one path have the same headers at the same places, so a layout that
// was learnt from one is verified against the others, header by header, without waiting for one
// load after another. Only a payload at the end, where the kernel puts it, may differ in length.
//
// A layout never changes once it is learnt.
type layout struct {
	headers  [maxHeaders]header // in the order of the message
	n        int                // how many
	excess   bool               // there are more, so that no message can be verified
	origin   int                // how many of them are the origin's, which come first
	originTo int                // where these end; negative where they don't come first
	end      int                // where the payload's header is, else the length of the message
	payload  bool               // the payload comes last

	at      [attributeTypes]uint32 // offsets of the values; 0 where absent
	unknown int                    // attributes of a type that is not known
}

// A header is the first word of an attribute, its length and type, and where it is.
type header struct{ offset, word uint32 }

// matches reports whether the message has this layout, given that it has the first headers.
func (l *layout) matches(msg []byte, first int) bool {
	if len(msg) < l.end || l.excess {
		return false
	}
	for _, h := range l.headers[first:l.n] {
		if binary.NativeEndian.Uint32(msg[h.offset:]) != h.word {
			return false
		}
	}
	last := msg[l.end:]
	if !l.payload {
		return len(last) == 0
	}
	if len(last) < attributeHeaderLen {
		return false
	}
	n := int(binary.NativeEndian.Uint16(last))
	return binary.NativeEndian.Uint16(last[2:]) == uint16(attrPayload) && n >= attributeHeaderLen && align(n) == len(last)
}

// value returns the value of an attribute in a message of the layout, or nil.
func (l *layout) value(msg []byte, t attributeType) []byte {
	o := l.at[t]
	if o == 0 {
		return nil
	}
	end := o - attributeHeaderLen + uint32(binary.NativeEndian.Uint16(msg[o-attributeHeaderLen:]))
	return msg[o:end:end]
}

// learn makes l the layout of a message, or reports that an attribute is malformed.
func (l *layout) learn(msg []byte) (ok bool) {
	*l = layout{originTo: attributesAt}
	return l.walk(msg, attributesAt, len(msg), 0)
}

// walk learns the attributes of msg between the offsets from and to, whose types begin at base.
func (l *layout) walk(msg []byte, from, to int, base attributeType) (ok bool) {
	for from < to {
		rest := msg[from:to]
		if len(rest) < attributeHeaderLen {
			return false
		}
		n := int(binary.NativeEndian.Uint16(rest))
		if n < attributeHeaderLen || n > len(rest) {
			return false
		}
		typ := attributeType(binary.NativeEndian.Uint16(rest[2:]) & attributeTypeMask)
		value, next := from+attributeHeaderLen, from+align(n)

		// The payload may be of any length where nothing follows it.
		l.payload = typ+base == attrPayload && next == len(msg)
		if l.payload {
			l.end = from
		} else {
			l.verify(header{uint32(from), binary.NativeEndian.Uint32(rest)})
			l.end = len(msg)
		}

		if base == 0 && originAttribute(typ) {
			l.extendOrigin(from, min(next, len(msg)))
		}

		switch {
		case typ == 0, base == 0 && typ > attrL2Header, typ+base >= attributeTypes:
			l.unknown++
		case n-attributeHeaderLen < attributeMin[typ+base]:
			return false
		default:
			l.at[typ+base] = uint32(value)
		}
		if base == 0 && typ == attrVLAN {
			if !l.walk(msg, value, from+n, attrL2Header) {
				return false
			}
		}
		from = next
	}
	return true
}

// extendOrigin takes note of an attribute of the origin.
func (l *layout) extendOrigin(from, to int) {
	if from == l.originTo {
		l.origin, l.originTo = l.n, to
	} else {
		l.originTo = -1
	}
}

// verify adds a header to those that have to be equal.
func (l *layout) verify(h header) {
	if l.n == maxHeaders {
		l.excess = true
		return
	}
	l.headers[l.n] = h
	l.n++
}

// Sizes of a layoutCache.
const (
	layoutBits  = 8
	layoutSlots = 1 << layoutBits
	layoutLimit = 1024
)

// A layoutCache remembers layouts. Its slots hold the layouts to try first; one that falls out of
// its slot stays among the known ones, so that messages that fight for a slot cost a walk, but no
// memory. When it knows too many, as of garbage, it starts over.
type layoutCache struct {
	slots   [layoutSlots]*layout
	known   map[layout]*layout
	scratch layout
}

// find returns the layout of a message, or nil where an attribute is malformed.
func (c *layoutCache) find(msg []byte) *layout {
	slot := c.slot(msg)
	if l := *slot; l != nil && l.matches(msg, 0) {
		return l
	}
	if !c.scratch.learn(msg) {
		return nil
	}
	l := c.known[c.scratch]
	if l == nil {
		if c.known == nil || len(c.known) == layoutLimit {
			c.known = make(map[layout]*layout)
			c.slots = [layoutSlots]*layout{}
		}
		l = new(c.scratch)
		c.known[*l] = l
	}
	*slot = l
	return l
}

// slot returns the place of a message's layout, which messages of other layouts rarely share: it
// goes by the length and by the header of the second attribute, the prefix.
func (c *layoutCache) slot(msg []byte) **layout {
	const second = attributesAt + attributeHeaderLen + 4
	h := uint32(len(msg))
	if len(msg) >= second+attributeHeaderLen {
		h ^= binary.NativeEndian.Uint32(msg[second:]) << 8
	}
	return &c.slots[h*0x9e3779b1>>(32-layoutBits)]
}
