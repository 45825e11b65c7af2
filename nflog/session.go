// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
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
	ctx    context.Context
	hook   HookFunc
	failed ErrorFunc

	memory  []byte
	early   [][]byte // datagrams that came before the kernel's answer to the binding
	decoder *Decoder

	attributes attributeMemory

	ended     atomic.Bool   // the kernel was asked to unbind the group, or the socket is closed
	unbindErr error         // why it could not be asked
	answered  bool          // the kernel has answered
	refusal   syscall.Errno // why it has not unbound the group
}

// over reports whether the context is done or Close was called. Then the hook is not called again.
func (r *reading) over() bool { return r.ended.Load() || r.ctx.Err() != nil }

// run calls the hook until the reading ends.
func (r *reading) run() {
	for _, datagram := range r.early {
		if !r.deliver(datagram) {
			return
		}
	}
	r.early = nil
	for !r.over() {
		n, kernel, err := r.nflog.socket.wait(r.memory)
		switch {
		case r.over():
			r.lookForAnswer(n, kernel)
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
	r.end()
	r.failed(receiveError(r.reason()))
}

// deliver calls the hook with the packets of a datagram, and reports whether the hook wants more.
func (r *reading) deliver(datagram []byte) (more bool) {
	before := r.decoder.batch.stats
	for p := range r.decoder.Decode(datagram).Packets() {
		if r.over() {
			return true
		}
		if r.hook(p.attribute(&r.attributes)) != 0 {
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

// endLocked is end for who holds the lock of the Nflog.
func (r *reading) endLocked() {
	n := r.nflog
	if n.reading != r || r.ended.Swap(true) {
		return
	}
	if err := unbind(n.socket, n.config.Group); !errors.Is(err, ErrClosed) {
		r.unbindErr = err
	}
	_ = n.Con.SetReadDeadline(time.Unix(1, 0)) // It fails only on a closed socket.
}

// finish makes way for another reading.
func (r *reading) finish() {
	if err := r.leave(); err != nil {
		r.nflog.logger.Errorf("could not unbind NFLOG group %d, which stays bound until Close: %v", r.nflog.config.Group, err)
	}
}

// leave leaves the socket as it was before the reading, if it is open, and returns why the group may
// be bound all the same.
func (r *reading) leave() error {
	n := r.nflog
	n.mu.Lock()
	defer n.mu.Unlock()
	r.endLocked()
	n.reading = nil
	if n.closed {
		return nil
	}
	for !r.answered {
		got, kernel, err := n.socket.receive(r.memory)
		if err != nil && !errors.Is(err, syscall.ENOBUFS) {
			break // there is nothing left
		}
		r.lookForAnswer(got, kernel)
	}
	_ = n.Con.SetReadDeadline(time.Time{}) // It fails only on a closed socket.
	if r.refusal != 0 {
		return r.refusal
	}
	return r.unbindErr
}

// lookForAnswer looks whether the datagram of n bytes that was received is the kernel's answer to the
// request to unbind.
func (r *reading) lookForAnswer(n int, kernel bool) {
	errno, ok := answer(r.memory[:min(n, len(r.memory))], unbindSequence)
	if ok && kernel {
		r.answered, r.refusal = true, errno
	}
}
