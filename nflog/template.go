// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// A shape is an origin together with a layout: nearly all that is to know of a message before its
// values are looked at.
type shape struct {
	origin *Origin
	layout *layout
	next   *shape // of the message that came after one of this shape the last time
}

// maxShapes is how many shapes of an origin are remembered: a kernel makes a few, as packets have a
// mark, a socket or a tag, or not.
const maxShapes = 16

// matches reports whether a message has this shape. Where its first bytes are the origin's, so are
// the headers in them.
func (s *shape) matches(msg []byte) bool {
	l, head := s.layout, s.origin.head
	return len(msg) >= l.end && len(head) == l.originTo-headerLen &&
		head == string(msg[headerLen:l.originTo]) && l.matches(msg, l.origin)
}

// A shapeCache finds the shapes of messages.
//
// Packets pass the rules of a chain one after the other, so the shape that came after another one
// last time often comes after it again, and is looked at first.
type shapeCache struct {
	layouts layoutCache
	origins originTable
	last    *shape // that was found last
}

func newShapeCache() shapeCache {
	return shapeCache{origins: newOriginTable(), last: &shape{}}
}

// find returns the shape of a message, or nil where an attribute is malformed, or where one is
// missing that every packet has.
func (c *shapeCache) find(msg []byte) *shape {
	s := c.last.next
	if s == nil || !s.matches(msg) {
		if s = c.search(msg); s == nil {
			return nil
		}
		c.last.next = s
	}
	c.last = s
	return s
}

func (c *shapeCache) search(msg []byte) *shape {
	l := c.layouts.find(msg)
	if l == nil || l.at[attrPacketHeader] == 0 {
		return nil
	}
	o := c.origins.find(msg, l)
	if o == nil {
		return nil
	}
	for _, s := range o.shapes {
		if s.layout == l {
			return s
		}
	}
	if len(o.shapes) == maxShapes {
		o.shapes = nil
	}
	s := &shape{origin: o, layout: l}
	o.shapes = append(o.shapes, s)
	return s
}
