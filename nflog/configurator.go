// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
)

const (
	// bindAttempts is how often a group is bound whose answers fall to a socket full of packets.
	bindAttempts = 3

	// unbindSequence numbers the requests to unbind, whose answers nobody waits for.
	unbindSequence = 0xffffffff

	// configureSequence numbers those to deliver a group in another way.
	configureSequence = unbindSequence - 1
)

// A transport carries the messages of an exchange.
type transport interface {
	// send returns when the kernel has handled the request.
	send(request []byte) error

	// receive takes a datagram without waiting, and returns its length, which may be more than
	// there was room for, and whether the kernel sent it. The error is syscall.EAGAIN where there
	// is none.
	receive(buf []byte) (n int, kernel bool, err error)
}

// An exchange configures groups: it sends requests and takes the kernel's answers.
type exchange struct {
	transport transport
	netns     int // as in ReaderConfig
	memory    []byte
	sequence  uint32 // of the last request

	early   [][]byte // datagrams that came before an answer
	foreign uint64   // datagrams that the kernel did not send
}

// bind binds a group.
func (e *exchange) bind(group uint16, b binding) error {
	for attempt := range bindAttempts {
		req, err := bindRequest(group, b)
		if err != nil {
			return err
		}
		errno, err := e.transact(req)
		switch {
		case errors.Is(err, errNoAnswer):
			continue // it fell to a socket buffer full of packets
		case err != nil:
			return err
		case errno == 0, errno == syscall.EBUSY && attempt > 0: // the one before was heard
			return nil
		case errno == syscall.EPERM:
			return e.refused(group)
		case errno == syscall.EEXIST: // another socket was faster
			return heldError(e.netns, group)
		case errno == syscall.EINVAL:
			return fmt.Errorf("%w (%w)", ErrUnsupported, errno)
		case errno == syscall.EOPNOTSUPP && b.flags&FlagConntrack != 0:
			return fmt.Errorf("%w (%w)", ErrNoConntrack, errno)
		default:
			return errno
		}
	}
	// The kernel may have heard each of them.
	if err := unbind(e.transport, group); err != nil {
		return err
	}
	return errNoAnswer
}

// refused tells why the kernel does not permit to bind the group: it gives the same errno for a
// group that another socket holds and for a missing capability.
func (e *exchange) refused(group uint16) error {
	req, err := probeRequest()
	if err != nil {
		return err
	}
	errno, err := e.transact(req)
	switch {
	case err != nil:
		return err
	case errno == syscall.EPERM:
		return fmt.Errorf("%w (%w)", permissionError(e.netns, "CAP_NET_ADMIN"), errno)
	default:
		return heldError(e.netns, group)
	}
}

var errNoAnswer = errors.New("the kernel's answer was lost in a full socket buffer: allow a larger one")

// transact sends a request and returns the errno of the kernel's answer. That is queued by the
// time that the request is sent, behind packets that came before it, which are kept.
func (e *exchange) transact(req []byte) (syscall.Errno, error) {
	e.sequence++
	number(req, e.sequence)
	if err := e.transport.send(req); err != nil {
		return 0, err
	}
	for {
		n, kernel, err := e.transport.receive(e.memory)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return 0, errNoAnswer
		case errors.Is(err, syscall.ENOBUFS): // what was dropped shows in the numbers
			continue
		case err != nil:
			return 0, err
		case !kernel:
			e.foreign++
			continue
		}
		datagram := e.memory[:min(n, len(e.memory))]
		if errno, ok := answer(datagram, e.sequence); ok {
			return errno, nil
		}
		e.early = append(e.early, slices.Clone(datagram))
	}
}

// configure asks the kernel to deliver a group that is bound in another way.
func configure(t transport, group uint16, b binding) error {
	req, err := configureRequest(group, b)
	if err != nil {
		return err
	}
	number(req, configureSequence)
	return t.send(req)
}

// unbind asks the kernel to let go of a group, once it has delivered what it has gathered.
func unbind(t transport, group uint16) error {
	req, err := unbindRequest(group)
	if err != nil {
		return err
	}
	number(req, unbindSequence)
	return t.send(req)
}
