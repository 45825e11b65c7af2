// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/mdlayher/netlink"
)

const (
	// bindAttempts is how often binding a group is tried while acknowledgements are lost because the
	// socket is full of packets.
	bindAttempts = 3

	// unbindSequence is the sequence number of requests to unbind. Nobody waits for their
	// acknowledgements.
	unbindSequence = 0xffffffff

	// configureSequence is the sequence number of requests to configure a bound group.
	configureSequence = unbindSequence - 1
)

// A transport carries the messages of a configurator.
type transport interface {
	// send sends a request. The kernel has handled it when send returns.
	send(request []byte) error

	// receive takes a datagram without waiting. It returns the datagram's length, which may exceed
	// len(buf), and whether the kernel sent it. The error is syscall.EAGAIN if there is no datagram.
	receive(buf []byte) (n int, kernel bool, err error)
}

// A configurator configures groups: it sends requests and waits for their acknowledgements.
type configurator struct {
	transport transport
	netns     int // see ReaderConfig.NetNS
	buf       []byte
	sequence  uint32 // of the last request

	pending       [][]byte // datagrams that arrived before an acknowledgement
	notFromKernel uint64   // datagrams that other processes sent
}

// bind binds a group.
func (c *configurator) bind(group uint16, g groupConfig) error {
	for attempt := range bindAttempts {
		req, err := bindRequest(group, g)
		if err != nil {
			return err
		}
		errno, err := c.execute(req)
		switch {
		case errors.Is(err, errNoAck):
			continue
		case err != nil:
			return err
		case errno == 0, errno == syscall.EBUSY && attempt > 0: // an earlier attempt has bound it
			return nil
		case errno == syscall.EPERM:
			return c.diagnoseEPERM(group)
		case errno == syscall.EEXIST: // another socket bound it at the same time
			return newGroupHeldError(c.netns, group)
		case errno == syscall.EINVAL:
			return fmt.Errorf("%w (%w)", ErrUnsupported, refused(errno))
		case errno == syscall.EOPNOTSUPP && g.flags&FlagConntrack != 0:
			return fmt.Errorf("%w (%w)", ErrNoConntrack, refused(errno))
		default:
			return refused(errno)
		}
	}
	// One of the attempts may have bound the group.
	if err := unbind(c.transport, group); err != nil {
		return err
	}
	return errNoAck
}

// diagnoseEPERM returns the reason why binding the group failed with EPERM: the kernel uses this errno
// both for a missing capability and for a group that another socket holds.
func (c *configurator) diagnoseEPERM(group uint16) error {
	req, err := probeRequest()
	if err != nil {
		return err
	}
	errno, err := c.execute(req)
	switch {
	case err != nil:
		return err
	case errno == syscall.EPERM:
		return fmt.Errorf("%w (%w)", newPermissionError(c.netns, "CAP_NET_ADMIN"), refused(errno))
	default:
		return newGroupHeldError(c.netns, group)
	}
}

// refused returns the error of a request that the kernel refused, as [netlink.Conn.Execute] does.
func refused(errno syscall.Errno) error { return &netlink.OpError{Op: "receive", Err: errno} }

var errNoAck = errors.New("the kernel's acknowledgement was lost in a full socket buffer: allow a larger one")

// execute sends a request and returns the errno of its acknowledgement. The kernel has queued the
// acknowledgement when send returns. Packets that were queued before it become pending.
func (c *configurator) execute(req []byte) (syscall.Errno, error) {
	c.sequence++
	setSequence(req, c.sequence)
	if err := c.transport.send(req); err != nil {
		return 0, err
	}
	for {
		n, kernel, err := c.transport.receive(c.buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return 0, errNoAck
		case errors.Is(err, syscall.ENOBUFS): // the sequence numbers show which packets were dropped
			continue
		case err != nil:
			return 0, err
		case !kernel:
			c.notFromKernel++
			continue
		}
		datagram := c.buf[:min(n, len(c.buf))]
		if errno, ok := parseAck(datagram, c.sequence); ok {
			return errno, nil
		}
		c.pending = append(c.pending, slices.Clone(datagram))
	}
}

// configure changes the configuration of a bound group. It does not wait for the acknowledgement.
func configure(t transport, group uint16, g groupConfig) error {
	req, err := configureRequest(group, g)
	if err != nil {
		return err
	}
	setSequence(req, configureSequence)
	return t.send(req)
}

// unbind makes the kernel deliver the packets that it has gathered and release the group. It does not wait
// for the acknowledgement.
func unbind(t transport, group uint16) error {
	req, err := unbindRequest(group)
	if err != nil {
		return err
	}
	setSequence(req, unbindSequence)
	return t.send(req)
}
