// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// A reading is what goes on between the registration of a hook and its end.
type reading struct {
	nflog  *Nflog
	hook   HookFunc
	failed ErrorFunc
	ended  atomic.Bool // by the context or by Close

	memory  []byte
	early   [][]byte // datagrams that came before the kernel's answer to the binding
	decoder *Decoder

	answered bool // the kernel has answered the request to unbind
}

// run calls the hook until the reading ends.
func (r *reading) run() {
	for _, datagram := range r.early {
		if !r.deliver(datagram) {
			return
		}
	}
	for !r.ended.Load() {
		n, kernel, err := r.nflog.socket.wait(r.memory)
		switch {
		case r.ended.Load():
			r.lookForAnswer(r.memory[:min(n, len(r.memory))])
		case err == nil && n > len(r.memory):
			err = fmt.Errorf("a datagram of %d bytes is longer than %d", n, len(r.memory))
			fallthrough
		case err != nil:
			if r.failed(receiveError(err)) != 0 || errors.Is(err, ErrClosed) {
				return
			}
		case !kernel:
			r.nflog.logger.Debugf("ignored a message that another process sent instead of the kernel")
		default:
			if !r.deliver(r.memory[:n]) {
				return
			}
		}
	}
	r.failed(receiveError(r.reason()))
}

// deliver calls the hook with the packets of a datagram, and reports whether the hook wants more.
func (r *reading) deliver(datagram []byte) (more bool) {
	before := r.decoder.batch.stats
	for p := range r.decoder.Decode(datagram).Packets() {
		if r.ended.Load() {
			return true
		}
		if r.hook(p.Attribute()) != 0 {
			return false
		}
	}
	after := r.decoder.batch.stats
	if n := after.malformed() - before.malformed(); n > 0 {
		r.nflog.logger.Debugf("skipped %d malformed messages", n)
	}
	if n := after.UnknownAttributes - before.UnknownAttributes; n > 0 {
		r.nflog.logger.Debugf("skipped %d attributes of an unknown type", n)
	}
	return true
}

// reason returns the error of a reading that has ended.
func (r *reading) reason() error {
	r.nflog.mu.Lock()
	defer r.nflog.mu.Unlock()
	if r.nflog.closed {
		return ErrClosed
	}
	return os.ErrDeadlineExceeded
}

// receiveError returns an error of the kind that [netlink.Conn.Receive] returns.
func receiveError(err error) error { return &netlink.OpError{Op: "receive", Err: err} }

// end frees the group and wakes run from its waiting.
func (r *reading) end() {
	r.nflog.mu.Lock()
	defer r.nflog.mu.Unlock()
	r.endLocked()
}

func (r *reading) endLocked() {
	n := r.nflog
	if n.reading != r || r.ended.Swap(true) {
		return
	}
	err := unbind(n.socket, n.config.Group)
	if err == nil {
		err = n.Con.SetReadDeadline(time.Unix(1, 0))
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		n.logger.Errorf("could not unbind NFLOG group %d: %v", n.config.Group, err)
	}
}

// finish leaves the socket as it was before the reading, if it is open.
func (r *reading) finish() {
	n := r.nflog
	n.mu.Lock()
	defer n.mu.Unlock()
	r.endLocked()
	n.reading = nil
	if n.closed {
		return
	}
	for !r.answered {
		got, _, err := n.socket.receive(r.memory)
		if err != nil && !errors.Is(err, syscall.ENOBUFS) {
			break // there is nothing left
		}
		r.lookForAnswer(r.memory[:min(got, len(r.memory))])
	}
	if err := n.Con.SetReadDeadline(time.Time{}); err != nil {
		n.logger.Debugf("could not reset the deadline: %v", err)
	}
}

// lookForAnswer looks whether a datagram is the kernel's answer to the request to unbind.
func (r *reading) lookForAnswer(datagram []byte) {
	errno, ok := answer(datagram, unbindSequence)
	if !ok {
		return
	}
	r.answered = true
	if errno != 0 {
		r.nflog.logger.Errorf("could not unbind NFLOG group %d, which stays bound until Close: %v", r.nflog.config.Group, errno)
	}
}
