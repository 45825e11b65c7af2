// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A script is a socket that answers as it is told.
type script struct {
	datagrams [][]byte
	sent      [][]byte
	closed    bool
}

func (s *script) send(requests []byte) error {
	s.sent = append(s.sent, slices.Clone(requests))
	return nil
}

func (s *script) receive(buf []byte) (int, error) {
	if len(s.datagrams) == 0 {
		return 0, syscall.EAGAIN
	}
	datagram := s.datagrams[0]
	s.datagrams = s.datagrams[1:]
	copy(buf, datagram)
	return len(datagram), nil
}

func (s *script) close() error {
	s.closed = true
	return nil
}

// answer returns a message of nf_tables.
func answer(typ, flags uint16, sequence uint32, generation uint16, attrs ...[]byte) []byte {
	data := append([]byte{byte(INet), 0}, u16(generation)...)
	return envelope(typ, flags, sequence, slices.Concat(data, slices.Concat(attrs...)))
}

// failure returns an NLMSG_ERROR or NLMSG_DONE.
func failure(typ, flags uint16, sequence uint32, errno syscall.Errno) []byte {
	return envelope(typ, flags, sequence, binary.NativeEndian.AppendUint32(nil, -uint32(errno)))
}

func envelope(typ, flags uint16, sequence uint32, data []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(headerLen+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, sequence)
	return slices.Concat(b, make([]byte, 4), data)
}

func scripted(datagrams ...[]byte) *Conn {
	return &Conn{socket: &script{datagrams: datagrams}, buf: make([]byte, bufferLen)}
}

func never() bool { return false }

func TestGeneration(t *testing.T) {
	id := attr(generationID, u32(70000))
	for _, tt := range []struct {
		name      string
		datagrams [][]byte
		want      uint32
		err       error
	}{
		{name: "answer", datagrams: [][]byte{answer(newGeneration, 0, 1, 0, id)}, want: 70000},
		{name: "rest of a dump", datagrams: [][]byte{answer(newRule, 0, 77, 0), answer(newGeneration, 0, 1, 0, id)}, want: 70000},
		{name: "no capability", datagrams: [][]byte{failure(typeError, 0, 1, syscall.EPERM)}, err: nflog.ErrPermission},
		{name: "no nf_tables", datagrams: [][]byte{failure(typeError, 0, 1, syscall.EINVAL)}, err: ErrUnsupported},
		{name: "other error", datagrams: [][]byte{failure(typeError, 0, 1, syscall.ENOMEM)}, err: syscall.ENOMEM},
		{name: "no answer", err: errLost},
		{name: "no message", datagrams: [][]byte{{1, 2, 3}}, err: errMalformed},
		{name: "cut", datagrams: [][]byte{answer(newGeneration, 0, 1, 0, id)[:20]}, err: errMalformed},
		{name: "too long", datagrams: [][]byte{make([]byte, bufferLen+1)}, err: errMalformed},
		{name: "other message", datagrams: [][]byte{answer(newRule, 0, 1, 0)}, err: errMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scripted(tt.datagrams...).generation()
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("unexpected generation %d, error %v; want %d, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestDump(t *testing.T) {
	const generation = 70000
	now := uint16(generation & 0xffff)
	done := func(sequence uint32) []byte { return failure(typeDone, 0, sequence, 0) }
	one := answer(newRule, 0, 2, now, rule("t", "c", 1, logTo(1, "x")))
	two := answer(newRule, 0, 2, now, rule("t", "c", 2, logTo(1, "x")))
	for _, tt := range []struct {
		name      string
		datagrams [][]byte // from the second dump on
		want      int
		err       error
	}{
		{name: "empty", datagrams: [][]byte{done(2)}},
		{name: "rules", datagrams: [][]byte{slices.Concat(one, two), done(2), done(3)}, want: 2},
		{name: "done with rules", datagrams: [][]byte{slices.Concat(one, done(2)), done(3)}, want: 1},
		{name: "interrupted", datagrams: [][]byte{one, answer(newRule, flagInterrupted, 2, now), two, done(2)}, err: errInterrupted},
		{name: "interrupted at the end", datagrams: [][]byte{one, failure(typeDone, flagInterrupted, 2, 0)}, err: errInterrupted},
		{name: "other generation", datagrams: [][]byte{one, answer(newRule, 0, 2, now+1), done(2)}, err: errInterrupted},
		{name: "error", datagrams: [][]byte{failure(typeError, 0, 2, syscall.EBUSY)}, err: syscall.EBUSY},
		{name: "error at the end", datagrams: [][]byte{one, failure(typeDone, 0, 2, syscall.ENOMEM)}, err: syscall.ENOMEM},
		{name: "no end", datagrams: [][]byte{one}, err: errLost},
		{name: "other object", datagrams: [][]byte{answer(newChain, 0, 2, now)}, err: errMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(append([][]byte{done(1)}, tt.datagrams...)...)
			l, err := c.dump(generation, never)
			if !errors.Is(err, tt.err) {
				t.Fatalf("unexpected error %v, want %v", err, tt.err)
			}
			if err == nil && len(l.rules) != tt.want {
				t.Errorf("%d rules, want %d", len(l.rules), tt.want)
			}
			if rest := c.socket.(*script).datagrams; err != nil && errors.Is(err, errInterrupted) && len(rest) > 0 {
				t.Errorf("%d datagrams of the dump are left", len(rest))
			}
		})
	}
	if _, err := scripted(done(1), one).dump(generation, func() bool { return true }); !errors.Is(err, errLost) {
		t.Errorf("unexpected error of a dump that is canceled: %v", err)
	}
}

// TestUpdatePackets checks that answers find their rules, in whatever order, and that one without an answer keeps its counter.
func TestUpdatePackets(t *testing.T) {
	rules := []Rule{{Handle: 1, Counted: true}, {Handle: 2}, {Handle: 3, Counted: true, number: 1}, {Handle: 4, Counted: true}, {Handle: 5, Family: Netdev}}
	packets := []uint64{1, 2, 3, 4, 5}
	c := scripted(
		answer(newRule, 0, 2, 0, rule("t", "c", 3, counter(30), logTo(1, "x"), logTo(2, "x"))),
		answer(newRule, 0, 99, 0),
		answer(newRule, 0, 1, 0, rule("t", "c", 1, logTo(1, "x"), counter(10))),
		failure(typeError, 0, 3, syscall.ENOENT),
		answer(newRule, 0, 4, 0, rule("t", "c", 5, logTo(1, "x"))),
	)
	gone, err := c.updatePackets(rules, packets, never)
	if want := []uint64{10, 2, 30, 4, 5}; err != nil || !gone || !slices.Equal(packets, want) {
		t.Errorf("unexpected counters %v, gone %t, error %v; want %v, true", packets, gone, err, want)
	}
	if _, err := scripted().updatePackets(rules, packets, never); !errors.Is(err, errLost) {
		t.Errorf("unexpected error without an answer: %v", err)
	}
}

func TestBound(t *testing.T) {
	var groups []uint16
	var datagrams [][]byte
	for i := range uint32(maxRequests + 2) {
		groups = append(groups, uint16(100+i))
		errno := syscall.ENODEV
		if i%3 == 0 {
			errno = syscall.EPERM
		}
		datagrams = append(datagrams, failure(typeError, 0, i+1, errno))
	}
	c := scripted(datagrams...)
	bound, err := c.bound(groups, never)
	if err != nil || len(bound) != len(groups) || len(c.socket.(*script).sent) != 2 {
		t.Fatalf("unexpected answer: %v, error %v", bound, err)
	}
	for i, group := range groups {
		if bound[group] != (i%3 == 0) {
			t.Errorf("group %d: bound %t", group, bound[group])
		}
	}
	if _, err := scripted().bound(groups, never); !errors.Is(err, errLost) {
		t.Errorf("unexpected error without an answer: %v", err)
	}
}

func TestClose(t *testing.T) {
	c := scripted()
	if err := c.Close(); err != nil || !c.socket.(*script).closed {
		t.Errorf("not closed: %v", err)
	}
}
