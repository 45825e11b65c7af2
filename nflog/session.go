// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// A session is one registration of a hook, from binding the group to unbinding it.
type session struct {
	nflog *Nflog
	ctx   context.Context
	hook  HookFunc
	errfn ErrorFunc

	buf     []byte
	pending [][]byte // datagrams that arrived before the kernel acknowledged the binding
	decoder *Decoder

	attributes attributeAllocator

	ended      atomic.Bool   // the request to unbind was sent, or the socket is closed
	endErr     error         // why, for the error function; set before ended
	unbindErr  error         // why that request could not be sent
	acked      bool          // the kernel has answered that request
	requestErr syscall.Errno // why the kernel refused it
}

// done reports whether the context is done or Close was called. The hook is not called again then.
func (s *session) done() bool { return s.ended.Load() || s.ctx.Err() != nil }

// serve is the goroutine of the session: hook, error function and logger are called by it. calledByHook looks for it.
func (s *session) serve() {
	defer s.nflog.running.Done()
	defer s.finish()
	stop := context.AfterFunc(s.ctx, func() { s.end(os.ErrDeadlineExceeded) })
	defer stop()
	s.run()
}

// calledByHook reports whether the calling goroutine serves a session, of this Nflog or of another: whether serve is on
// its stack.
func calledByHook() bool {
	serve := runtime.FuncForPC(reflect.ValueOf((*session).serve).Pointer()).Name()
	pcs := make([]uintptr, 64)
	for skip := 1; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		frames := runtime.CallersFrames(pcs[:n])
		for {
			frame, more := frames.Next()
			if frame.Function == serve {
				return true
			}
			if !more {
				break
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// run calls the hook until the session ends.
func (s *session) run() {
	for _, datagram := range s.pending {
		if !s.deliver(datagram) {
			return
		}
	}
	s.pending = nil
	for !s.done() {
		n, kernel, err := s.nflog.socket.wait(s.buf)
		switch {
		case s.done():
			s.checkAck(n, kernel)
		case err == nil && n > len(s.buf):
			err = fmt.Errorf("datagram of %d bytes does not fit into %d", n, len(s.buf))
			fallthrough
		case err != nil:
			if s.errfn(receiveError(err)) != 0 || errors.Is(err, ErrClosed) {
				return
			}
		case !kernel:
			s.nflog.logger.Debugf("ignored a message from another process")
		default:
			if !s.deliver(s.buf[:n]) {
				return
			}
		}
	}
	s.end(os.ErrDeadlineExceeded)
	s.errfn(receiveError(s.endErr))
}

// deliver calls the hook with the packets of a datagram. It returns false if the hook stops the session.
func (s *session) deliver(datagram []byte) (more bool) {
	before := s.decoder.batch.stats
	for p := range s.decoder.Decode(datagram).Packets() {
		if s.done() {
			return true
		}
		if s.hook(p.attribute(&s.attributes)) != 0 {
			return false
		}
	}
	after := s.decoder.batch.stats
	if n := after.malformed() - before.malformed(); n > 0 {
		s.nflog.logger.Debugf("skipped malformed messages: %d", n)
	}
	if n := after.UnknownAttributes - before.UnknownAttributes; n > 0 {
		s.nflog.logger.Debugf("skipped attributes of an unknown type: %d", n)
	}
	return true
}

// receiveError wraps an error as [netlink.Conn.Receive] does.
func receiveError(err error) error { return &netlink.OpError{Op: "receive", Err: err} }

// end releases the group and wakes run if it waits. It does nothing if the session has ended already.
func (s *session) end(err error) {
	s.nflog.mu.Lock()
	defer s.nflog.mu.Unlock()
	s.endLocked(err)
}

// endLocked is end for a caller that holds the lock of the Nflog.
func (s *session) endLocked(err error) {
	n := s.nflog
	if n.session != s || s.ended.Load() {
		return
	}
	s.endErr = err
	s.ended.Store(true)
	if err := unbind(n.socket, n.config.Group); !errors.Is(err, ErrClosed) {
		s.unbindErr = err
	}
	_ = n.Con.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed socket
}

// closeLocked ends the session because its Nflog is closed, which releases the group. If its context was done before, that
// is the reason. The caller holds the lock of the Nflog.
func (s *session) closeLocked() {
	if s.ended.Load() {
		return
	}
	s.endErr = ErrClosed
	if s.ctx.Err() != nil {
		s.endErr = os.ErrDeadlineExceeded
	}
	s.ended.Store(true)
}

// finish makes room for another session.
func (s *session) finish() {
	if err := s.cleanUp(); err != nil {
		s.nflog.logger.Errorf("failed to unbind NFLOG group %d, which stays bound until Close: %v", s.nflog.config.Group, err)
	}
}

// cleanUp restores the socket's state of before the session, unless the socket is closed. The error says
// why the group may still be bound.
func (s *session) cleanUp() error {
	n := s.nflog
	n.mu.Lock()
	defer n.mu.Unlock()
	s.endLocked(nil)
	n.session = nil
	if n.closed {
		return nil
	}
	for !s.acked {
		got, kernel, err := n.socket.receive(s.buf)
		if err != nil && !errors.Is(err, syscall.ENOBUFS) {
			break // the socket is empty
		}
		s.checkAck(got, kernel)
	}
	_ = n.Con.SetReadDeadline(time.Time{}) // fails only on a closed socket
	if s.requestErr != 0 {
		return s.requestErr
	}
	return s.unbindErr
}

// checkAck checks whether the received datagram of n bytes is the kernel's answer to the request to
// unbind.
func (s *session) checkAck(n int, kernel bool) {
	errno, ok := parseAck(s.buf[:min(n, len(s.buf))], unbindSequence)
	if ok && kernel {
		s.acked, s.requestErr = true, errno
	}
}
