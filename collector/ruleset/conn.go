// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"errors"
	"fmt"
	"math"
	"syscall"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// ErrUnsupported is the error of a kernel without nf_tables.
var ErrUnsupported = fmt.Errorf("the kernel has no nf_tables: %w", errors.ErrUnsupported)

var (
	// errInterrupted is the error of a dump during which the ruleset changed.
	errInterrupted = errors.New("the ruleset changed while it was read")

	// errLost is the error of a missing answer.
	errLost = errors.New("the kernel's answer was lost")
)

// maxRequests is how many requests are sent at once. Their answers have to fit into the receive buffer.
const maxRequests = 16

// bufferLen is more than the longest datagram of a dump (netlink_recvmsg of net/netlink/af_netlink.c).
const bufferLen = 64 << 10

// A socket carries messages to the kernel and back.
type socket interface {
	// send sends messages. The kernel has handled them when it returns, and their answers wait.
	send(requests []byte) error

	// receive takes a datagram of the kernel without waiting. The error is syscall.EAGAIN if there is none.
	receive(buf []byte) (n int, err error)

	close() error
}

// A Conn asks the kernel for the ruleset of one network namespace. One goroutine may use it at a time.
type Conn struct {
	socket   socket
	sequence uint32 // of the last request
	requests requestBuilder
	buf      []byte
	list     listing // for single rules
}

// Open returns a Conn for the network namespace with that descriptor, or for the process's own if netns is 0. The descriptor may be
// closed afterwards. An open Conn keeps the namespace alive.
func Open(netns int) (*Conn, error) {
	s, err := openSocket(netns)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: s, buf: make([]byte, bufferLen)}, nil
}

// Close closes the Conn.
func (c *Conn) Close() error { return c.socket.close() }

// begin begins a request, see requestBuilder.begin.
func (c *Conn) begin(typ, flags uint16, family Family, id uint16) {
	c.sequence++
	c.requests.begin(typ, flags, c.sequence, family, id)
}

// send sends the requests.
func (c *Conn) send() error {
	err := c.socket.send(c.requests.b)
	c.requests.reset()
	return err
}

// receive receives a datagram.
func (c *Conn) receive() ([]byte, error) {
	n, err := c.socket.receive(c.buf)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil, errLost
	case err != nil:
		return nil, err
	case n > len(c.buf):
		return nil, fmt.Errorf("%w: a datagram of %d bytes", errMalformed, n)
	}
	return c.buf[:n], nil
}

// generation returns the generation of the ruleset. Each change makes it one more, and it is never 0.
func (c *Conn) generation() (uint32, error) {
	c.begin(getGeneration, 0, 0, 0)
	if err := c.send(); err != nil {
		return 0, err
	}
	for {
		m, err := c.answer()
		switch {
		case err != nil:
			return 0, err
		case m.sequence != c.sequence: // of a dump that was not read to its end
		case m.typ == typeError && m.errno() == syscall.EPERM:
			return 0, fmt.Errorf("%w (%w)", nflog.ErrPermission, m.errno())
		case m.typ == typeError && (m.errno() == syscall.EINVAL || m.errno() == syscall.EOPNOTSUPP):
			return 0, fmt.Errorf("%w (%w)", ErrUnsupported, m.errno())
		case m.typ == typeError:
			return 0, fmt.Errorf("ask for the ruleset's generation: %w", m.errno())
		case m.typ == newGeneration && m.hasAttributes():
			return be32(attribute(m.attributes(), generationID)), nil
		default:
			return 0, errMalformed
		}
	}
}

// answer receives a datagram of one message.
func (c *Conn) answer() (message, error) {
	datagram, err := c.receive()
	if err != nil {
		return message{}, err
	}
	m, _, err := nextMessage(datagram)
	return m, err
}

// dump lists the ruleset. The error is errInterrupted if that is not the one of the generation.
func (c *Conn) dump(generation uint32, canceled func() bool) (*listing, error) {
	l := newListing()
	if err := c.dumpAll(getTable, newTable, generation, canceled, l.addTable); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	if err := c.dumpAll(getRule, newRule, generation, canceled, l.addRule); err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	if len(l.rules) > 0 {
		if err := c.dumpAll(getChain, newChain, generation, canceled, l.addChain); err != nil {
			return nil, fmt.Errorf("list chains: %w", err)
		}
	}
	l.finish()
	return l, nil
}

// dumpAll calls add for all objects of a type, in all families.
func (c *Conn) dumpAll(get, object uint16, generation uint32, canceled func() bool, add func(Family, []byte)) error {
	c.begin(get, flagDump, 0, 0)
	if err := c.send(); err != nil {
		return err
	}
	var failed error // does not end the dump: the next would be refused until it is read to its end
	for !canceled() {
		datagram, err := c.receive()
		if err != nil {
			return err
		}
		for len(datagram) > 0 {
			var m message
			if m, datagram, err = nextMessage(datagram); err != nil {
				return err
			}
			if m.sequence != c.sequence {
				continue
			}
			if m.flags&flagInterrupted != 0 {
				failed = errInterrupted
			}
			switch {
			case m.typ == typeError || m.typ == typeDone:
				if errno := m.errno(); errno != 0 {
					return errno
				}
				return failed
			case m.typ != object || !m.hasAttributes():
				return errMalformed
			case uint32(m.generation()) != generation&math.MaxUint16:
				failed = errInterrupted
			}
			if failed == nil {
				add(m.family(), m.attributes())
			}
		}
	}
	return errLost
}

// updatePackets asks for the counters of rules by their handles. It reports whether a rule is gone. What can't be had stays as it was.
func (c *Conn) updatePackets(rules []Rule, packets []uint64, canceled func() bool) (gone bool, err error) {
	var pending [maxRequests]int // indexes of the rules
	n := 0
	for i := range rules {
		r := &rules[i]
		if !r.Counted && r.Family != Netdev { // on older kernels a device takes its chains along, without a new generation
			continue
		}
		c.begin(getRule, 0, r.Family, 0)
		c.requests.addString(ruleTable, r.Table)
		c.requests.addString(ruleChain, r.Chain)
		c.requests.addUint64(ruleHandle, r.Handle)
		pending[n] = i
		if n++; n == maxRequests {
			n = 0
			goneNow, err := c.receivePackets(pending[:], rules, packets)
			if gone = gone || goneNow; err != nil || canceled() {
				return gone, err
			}
		}
	}
	goneNow, err := c.receivePackets(pending[:n], rules, packets)
	return gone || goneNow, err
}

// receivePackets sends the requests for the rules with these indexes, and receives their counters.
func (c *Conn) receivePackets(pending []int, rules []Rule, packets []uint64) (gone bool, err error) {
	err = c.exchange(len(pending), func(i int, m *message) {
		switch {
		case m.typ == typeError && m.errno() == syscall.ENOENT:
			gone = true
		case m.typ == newRule && m.hasAttributes():
			at := pending[i]
			c.list.scan.expressions(attribute(m.attributes(), ruleExpressions))
			if logs, n := c.list.scan.logs, int(rules[at].number); n < len(logs) && rules[at].Counted {
				packets[at] = logs[n].packets
			}
		}
	})
	if err != nil {
		return gone, fmt.Errorf("read counters of rules: %w", err)
	}
	return gone, nil
}

// exchange sends n requests, and calls answer for each of their answers.
func (c *Conn) exchange(n int, answer func(i int, m *message)) error {
	if n == 0 {
		return nil
	}
	first := c.sequence - uint32(n) + 1
	if err := c.send(); err != nil {
		return err
	}
	for received := 0; received < n; {
		m, err := c.answer()
		if err != nil {
			return err
		}
		if i := m.sequence - first; i < uint32(n) {
			answer(int(i), &m)
			received++
		}
	}
	return nil
}

// bound reports for each group whether a socket is bound to it. It asks the kernel to unbind the groups: that is refused with
// EPERM if another socket has bound it, and with ENODEV if none has (nfulnl_recv_config of net/netfilter/nfnetlink_log.c). Unlike
// /proc/net/netfilter/nfnetlink_log, the answer is not for root alone. The caller must have got an answer by the same Conn, as
// EPERM also stands for a missing capability.
func (c *Conn) bound(groups []uint16, canceled func() bool) (map[uint16]bool, error) {
	bound := make(map[uint16]bool, len(groups))
	for len(groups) > 0 && !canceled() {
		some := groups[:min(len(groups), maxRequests)]
		groups = groups[len(some):]
		for _, group := range some {
			c.begin(configureGroup, flagAcknowledge, 0, group)
			c.requests.addByte(configCommand, commandUnbind)
		}
		err := c.exchange(len(some), func(i int, m *message) {
			bound[some[i]] = m.typ == typeError && m.errno() == syscall.EPERM
		})
		if err != nil {
			return nil, fmt.Errorf("ask who reads the groups: %w", err)
		}
	}
	return bound, nil
}
