// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"syscall"
)

// errMalformed is the error of an answer that is no netlink message.
var errMalformed = errors.New("the kernel's answer is malformed")

// A message is a message of nfnetlink.
type message struct {
	typ, flags uint16
	sequence   uint32
	data       []byte // from struct nfgenmsg on
}

// nextMessage returns the first message of a datagram, and the rest of the datagram.
func nextMessage(datagram []byte) (m message, rest []byte, err error) {
	if len(datagram) < headerLen {
		return m, nil, errMalformed
	}
	length := uint64(binary.NativeEndian.Uint32(datagram))
	if length < headerLen || length > uint64(len(datagram)) {
		return m, nil, errMalformed
	}
	m = message{
		typ:      binary.NativeEndian.Uint16(datagram[4:]),
		flags:    binary.NativeEndian.Uint16(datagram[6:]),
		sequence: binary.NativeEndian.Uint32(datagram[8:]),
		data:     datagram[headerLen:length],
	}
	return m, datagram[min(align(int(length)), len(datagram)):], nil
}

// family returns the family of nfgenmsg.
func (m *message) family() Family { return Family(m.data[0]) }

// generation returns the low bits of the ruleset's generation, which the kernel puts into each message of nf_tables.
func (m *message) generation() uint16 { return binary.BigEndian.Uint16(m.data[2:]) }

func (m *message) attributes() []byte { return m.data[attributesAt-headerLen:] }

// hasAttributes reports whether the message is long enough for struct nfgenmsg.
func (m *message) hasAttributes() bool { return len(m.data) >= attributesAt-headerLen }

// errno returns the error of an NLMSG_ERROR or NLMSG_DONE, 0 for none.
func (m *message) errno() syscall.Errno {
	if len(m.data) < 4 {
		return 0
	}
	return syscall.Errno(-binary.NativeEndian.Uint32(m.data))
}

func align(n int) int { return (n + 3) &^ 3 }

// attributes iterates over attributes by type. It ends at one that is malformed.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= attributeHeaderLen {
			length := int(binary.NativeEndian.Uint16(b))
			if length < attributeHeaderLen || length > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&attributeTypeMask, b[attributeHeaderLen:length]) {
				return
			}
			b = b[min(align(length), len(b)):]
		}
	}
}

// attribute returns the value of the first attribute of a type, nil if there is none.
func attribute(b []byte, wanted uint16) []byte {
	for typ, value := range attributes(b) {
		if typ == wanted {
			return value
		}
	}
	return nil
}

// The values of attributes. One that is too short reads as 0.

func be16(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

func be32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func be64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// text returns a string without what follows its NUL.
func text(b []byte) []byte {
	before, _, _ := bytes.Cut(b, []byte{0})
	return before
}

// A requestBuilder builds messages, one after the other.
type requestBuilder struct {
	b  []byte
	at int // where the last message begins
}

func (r *requestBuilder) reset() { r.b = r.b[:0] }

// begin begins a message. id is struct nfgenmsg's res_id.
func (r *requestBuilder) begin(typ, flags uint16, sequence uint32, family Family, id uint16) {
	r.at = len(r.b)
	r.b = append(r.b, 0, 0, 0, 0) // the length, see finish
	r.b = binary.NativeEndian.AppendUint16(r.b, typ)
	r.b = binary.NativeEndian.AppendUint16(r.b, flags|flagRequest)
	r.b = binary.NativeEndian.AppendUint32(r.b, sequence)
	r.b = append(r.b, 0, 0, 0, 0, byte(family), 0)
	r.b = binary.BigEndian.AppendUint16(r.b, id)
	r.finish()
}

// finish sets the length of the message.
func (r *requestBuilder) finish() {
	binary.NativeEndian.PutUint32(r.b[r.at:], uint32(len(r.b)-r.at))
}

// beginAttribute appends the header of an attribute whose value has that length.
func (r *requestBuilder) beginAttribute(typ uint16, length int) {
	r.b = binary.NativeEndian.AppendUint16(r.b, uint16(attributeHeaderLen+length))
	r.b = binary.NativeEndian.AppendUint16(r.b, typ)
}

func (r *requestBuilder) addByte(typ uint16, value byte) {
	r.beginAttribute(typ, 1)
	r.b = append(r.b, value, 0, 0, 0)
	r.finish()
}

func (r *requestBuilder) addUint64(typ uint16, value uint64) {
	r.beginAttribute(typ, 8)
	r.b = binary.BigEndian.AppendUint64(r.b, value)
	r.finish()
}

func (r *requestBuilder) addString(typ uint16, value string) {
	r.beginAttribute(typ, len(value)+1)
	r.b = append(r.b, value...)
	r.b = append(r.b, 0)
	for len(r.b)&3 != 0 {
		r.b = append(r.b, 0)
	}
	r.finish()
}
