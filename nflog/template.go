// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "encoding/binary"

// A template is an origin together with a layout: all that messages of the same kind have in common.
// Only the values of their other attributes differ.
type template struct {
	origin *Origin
	layout *layout
	next   *template // template of the message that followed the last message of this template
}

// maxTemplates limits the templates of an origin. A kernel makes only a few: packets have a mark, a
// socket or a VLAN tag, or they don't.
const maxTemplates = 16

// matches reports whether a message has this template. If the message begins with the bytes of the
// origin, the attribute headers in these bytes match too, so the layout checks only the others.
func (t *template) matches(msg []byte) bool {
	l, head := t.layout, t.origin.head
	return len(msg) >= l.end && len(head) == l.originEnd-headerLen &&
		head == string(msg[headerLen:l.originEnd]) && l.matches(msg, l.originHeaders)
}

// matchesOther is matches for a message with an EtherType that has no origin of its own.
func (t *template) matchesOther(msg []byte) bool {
	const from, to = attributesAt + attributeHeaderLen, attributesAt + attributeHeaderLen + hwProtocolLen
	l := t.layout
	if len(msg) < l.end || l.at[attrPacketHeader] != from {
		return false
	}
	head := t.origin.head
	return len(head) == l.originEnd-headerLen && !isOwnHWProtocol(binary.BigEndian.Uint16(msg[from:])) &&
		head[:from-headerLen] == string(msg[headerLen:from]) && head[to-headerLen:] == string(msg[to:l.originEnd]) &&
		l.matches(msg, l.originHeaders)
}

// A templateCache finds the templates of messages.
//
// A packet passes the rules of a chain in order, so messages tend to follow each other in the same
// sequence. The cache first tries the template that followed the current one last time.
type templateCache struct {
	layouts layoutCache
	origins originTable
	last    *template // template of the previous message
}

func newTemplateCache() templateCache {
	return templateCache{origins: newOriginTable(), last: &template{}}
}

// find returns the template of a message. It returns nil if an attribute is malformed, or if an
// attribute is missing that every packet has.
func (c *templateCache) find(msg []byte) *template {
	t := c.last.next
	if t == nil || !t.matches(msg) && (t.origin.HWProtocol != 0 || !t.matchesOther(msg)) {
		if t = c.search(msg); t == nil {
			return nil
		}
		c.last.next = t
	}
	c.last = t
	return t
}

func (c *templateCache) search(msg []byte) *template {
	l := c.layouts.find(msg)
	if l == nil || l.at[attrPacketHeader] == 0 {
		return nil
	}
	o := c.origins.find(msg, l)
	if o == nil {
		return nil
	}
	for _, t := range o.templates {
		if t.layout == l {
			return t
		}
	}
	if len(o.templates) == maxTemplates {
		o.templates = nil
	}
	t := &template{origin: o, layout: l}
	o.templates = append(o.templates, t)
	return t
}
