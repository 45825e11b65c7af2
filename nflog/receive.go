// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"syscall"
	"time"
)

const (
	// receiveBuffer is the size of the largest datagram that the kernel makes. For a batch buffer of
	// MaxBatchBuffer it allocates the next power of two, 256 KiB, and uses all of it.
	receiveBuffer = 2 * MaxBatchBuffer

	// maxPause is how long a busy reader leaves the socket alone after it has emptied it. A wake-up
	// costs more than decoding a datagram, so a reader moderates its wake-ups like a network card
	// moderates its interrupts.
	maxPause = 20 * time.Millisecond

	// sparseWait is a wait that shows sparse traffic. A pause after it would add a wake-up instead of
	// saving one.
	sparseWait = 5 * maxPause

	// maxFillRate is how fast the socket's receive buffer can fill, in bytes per second. The kernel logs
	// the packets of a group under a lock, 1 to 1.5 million per second. A packet takes some 250 bytes of
	// the buffer in a batch, and 832 alone.
	maxFillRate = 800_000_000
)

// Receive returns the next batch of packets, and waits if there is none. The batch and its packets are
// borrowed: they are valid until the next call of Receive, which reuses their memory. That call also counts
// the packets that were not iterated over, so each packet counts once.
//
// Loss is not an error: see [Batch.Lost] and [Stats]. Receive returns:
//
//   - [io.EOF] after Unbind, when everything was received
//   - [ErrClosed] after Close
//   - [os.ErrDeadlineExceeded] once the deadline has passed, also if packets wait
//   - any other error if the socket can't be read, or if the kernel has refused a request of Configure or
//     Unbind. Close the reader then.
//
// A busy reader looks at an empty socket again after 20 ms, or earlier if the socket's receive buffer would
// fill meanwhile. This delay adds to the queue timeout.
func (r *Reader) Receive() (*Batch, error) {
	r.current.batch.drain()
	for {
		// Load unbound before looking at the socket. If it is set, the kernel has already queued its
		// last packets.
		unbound := r.unbound.Load()
		left, limited := r.untilDeadline()
		if limited && left <= 0 && !unbound {
			r.current.publish()
			return nil, r.socket.closedErr(os.ErrDeadlineExceeded)
		}
		datagram, ok, err := r.datagram()
		switch {
		case err != nil:
			return nil, err
		case ok:
			r.busy = true
			if datagram == nil {
				return r.current.begin(nil), nil
			}
			r.current = r.decoder(datagram)
			return r.current.Decode(datagram), nil
		case unbound && r.requestErr != nil:
			return nil, r.requestErr
		case unbound:
			return nil, io.EOF
		case r.busy && r.frequent:
			r.busy = false
			pause := time.Duration(r.pause.Load())
			if limited {
				pause = min(pause, left)
			}
			time.Sleep(pause)
		default:
			r.current.publish()
			began := time.Now()
			err := r.socket.wait()
			if err != nil && !r.unbound.Load() {
				return nil, err
			}
			r.frequent = time.Since(began) < sparseWait
		}
	}
}

// decoder returns the decoder for a datagram. All messages of a datagram belong to the same group.
func (r *Reader) decoder(datagram []byte) *Decoder {
	if len(r.decoders) > 1 && len(datagram) >= attributesAt {
		group := binary.BigEndian.Uint16(datagram[headerLen+2:])
		for _, d := range r.decoders[1:] {
			if d.batch.group == group {
				return d
			}
		}
	}
	return r.decoders[0]
}

// datagram takes the next datagram. It returns nil for one that another process sent, and false if there is
// no datagram.
func (r *Reader) datagram() (d []byte, ok bool, err error) {
	if len(r.pending) > 0 && !r.socket.closed.Load() {
		d, r.pending[0] = r.pending[0], nil
		r.pending = r.pending[1:]
		return d, true, nil
	}
	stats := &r.current.batch.stats
	for {
		n, kernel, err := r.socket.receive(r.buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil, false, nil
		case errors.Is(err, syscall.ENOBUFS):
			stats.Overruns++
		case err != nil:
			return nil, false, err
		case !kernel:
			stats.Foreign++
			return nil, true, nil
		case n > len(r.buf):
			stats.Truncated++
			return r.buf, true, nil
		default:
			if !r.takeAck(r.buf[:n]) {
				return r.buf[:n], true, nil
			}
			if r.requestErr != nil {
				return nil, false, r.requestErr
			}
		}
	}
}

// takeAck reports whether a datagram acknowledges a request of Unbind or Configure. If the kernel has
// refused the request, it sets requestErr.
func (r *Reader) takeAck(datagram []byte) bool {
	if errno, ok := parseAck(datagram, unbindSequence); ok {
		if errno == syscall.EPERM {
			r.requestErr = fmt.Errorf("unbind NFLOG groups: %w", r.missingCapability())
		}
		return true
	}
	errno, ok := parseAck(datagram, configureSequence)
	if !ok {
		return false
	}
	switch errno {
	case 0, syscall.ENODEV: // ENODEV: the group is not bound any more
	case syscall.EPERM:
		r.requestErr = fmt.Errorf("configure NFLOG groups: %w", r.missingCapability())
	default:
		r.requestErr = fmt.Errorf("configure NFLOG groups: %w", errno)
	}
	return true
}

// missingCapability returns an error for a capability that was dropped after the groups were bound.
func (r *Reader) missingCapability() error {
	if r.otherNetNS {
		return &PermissionError{Capability: "CAP_NET_ADMIN"}
	}
	return newPermissionError(0, "CAP_NET_ADMIN")
}

// largestBatch returns the size of the largest batch buffers of which a receive buffer holds eight. The
// kernel allocates a power of two: it holds a struct skb_shared_info and the messages. A struct sk_buff
// counts too.
func largestBatch(buffer uint32) uint32 {
	const sharedInfo, skBuff = 320, 256 // bytes
	room := int(buffer/8) - skBuff
	if room < MinBatchBuffer+sharedInfo {
		return MinBatchBuffer
	}
	return 1<<(bits.Len(uint(room))-1) - sharedInfo
}

// pauseFor returns how long a reader may pause after it has emptied a receive buffer of that size, so that
// at most half of the buffer fills meanwhile.
func pauseFor(buffer uint32) time.Duration {
	return min(maxPause, time.Duration(buffer/2)*time.Second/maxFillRate)
}
