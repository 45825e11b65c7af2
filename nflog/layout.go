// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "encoding/binary"

// maxHeaders is how many attribute headers a layout can compare. A kernel sends fewer.
const maxHeaders = 32

// A layout is the position of each attribute in a packet message.
//
// Parsing a message is limited by latency, because each attribute's length leads to the next
// attribute. The messages of one rule on one path have the same headers at the same offsets. So a
// layout is parsed once, and then compared with further messages header by header, which needs no
// load that waits for another one. Only a payload at the end, where the kernel puts it, may differ in
// length.
//
// A layout is immutable once parsed.
type layout struct {
	headers       [maxHeaders]header // in message order
	n             int                // number of headers
	excess        bool               // the message has more headers: the layout matches no message
	originHeaders int                // how many of the headers belong to the origin; they come first
	originEnd     int                // offset of their end; negative if they don't come first
	end           int                // offset of the payload's header, or length of a message without payload at its end
	payload       bool               // the payload comes last

	at      [attributeTypes]uint32 // offsets of the values; 0 if absent
	unknown int                    // number of attributes of an unknown type
}

// A header is the first word of an attribute, its length and type, and the word's offset.
type header struct{ offset, word uint32 }

// matches reports whether a message has this layout. The caller has compared the first headers.
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

// value returns the value of an attribute in a message of this layout, or nil.
func (l *layout) value(msg []byte, t attributeType) []byte {
	o := l.at[t]
	if o == 0 {
		return nil
	}
	end := o - attributeHeaderLen + uint32(binary.NativeEndian.Uint16(msg[o-attributeHeaderLen:]))
	return msg[o:end:end]
}

// parse sets l to the layout of a message. It returns false if an attribute is malformed.
func (l *layout) parse(msg []byte) (ok bool) {
	*l = layout{originEnd: attributesAt}
	return l.parseAttributes(msg, attributesAt, len(msg), 0)
}

// parseAttributes parses the attributes of msg between the offsets from and to. It adds base to their
// types: 0 for the attributes of the message, attrL2Header for those nested in attrVLAN.
func (l *layout) parseAttributes(msg []byte, from, to int, base attributeType) (ok bool) {
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

		// A payload at the end may have any length.
		l.payload = typ+base == attrPayload && next == len(msg)
		if l.payload {
			l.end = from
		} else {
			l.addHeader(header{uint32(from), binary.NativeEndian.Uint32(rest)})
			l.end = len(msg)
		}

		if base == 0 && isOriginAttribute(typ) {
			l.extendOrigin(from, min(next, len(msg)))
		}

		switch {
		case typ == 0, base == 0 && typ > attrL2Header, typ+base >= attributeTypes:
			l.unknown++
		case n-attributeHeaderLen < attributeMinLen[typ+base]:
			return false
		default:
			l.at[typ+base] = uint32(value)
		}
		if base == 0 && typ == attrVLAN {
			if !l.parseAttributes(msg, value, from+n, attrL2Header) {
				return false
			}
		}
		from = next
	}
	return true
}

// extendOrigin records that an attribute of the origin takes the bytes between two offsets.
func (l *layout) extendOrigin(from, to int) {
	if from == l.originEnd {
		l.originHeaders, l.originEnd = l.n, to
	} else {
		l.originEnd = -1
	}
}

// addHeader adds a header that messages of this layout must have.
func (l *layout) addHeader(h header) {
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

// A layoutCache finds the layouts of messages. It tries the layout in the message's slot first. A
// layout that loses its slot to another one stays in known, so slot collisions cost a re-parse but no
// allocation. A cache with layoutLimit layouts, as random messages make, starts over.
type layoutCache struct {
	slots   [layoutSlots]*layout
	known   map[layout]*layout
	scratch layout
}

// find returns the layout of a message, or nil if an attribute is malformed.
func (c *layoutCache) find(msg []byte) *layout {
	slot := c.slot(msg)
	if l := *slot; l != nil && l.matches(msg, 0) {
		return l
	}
	if !c.scratch.parse(msg) {
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

// slot returns the slot of a message's layout. It hashes the length of the message and the header of
// the second attribute, the prefix, so messages of different layouts rarely share a slot.
func (c *layoutCache) slot(msg []byte) **layout {
	const second = attributesAt + attributeHeaderLen + 4
	h := uint32(len(msg))
	if len(msg) >= second+attributeHeaderLen {
		h ^= binary.NativeEndian.Uint32(msg[second:]) << 8
	}
	return &c.slots[h*0x9e3779b1>>(32-layoutBits)]
}
