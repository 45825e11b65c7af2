// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// receiveBuffer holds the largest datagram that the kernel makes: a batch buffer of
	// MaxBatchBuffer takes 256 KiB, as the kernel rounds up and uses the whole of it.
	receiveBuffer = 256 << 10

	// maxPause is how long a busy reader leaves the socket alone after it has emptied it, as a
	// network card moderates its interrupts: a wake-up costs more than to decode a datagram.
	maxPause = 20 * time.Millisecond

	// sparse is how long a reader has waited for a datagram that is not likely to be one of many, so
	// that a pause after it would only be one more wake-up.
	sparse = 5 * maxPause

	// fillRate is how many bytes a second the socket's buffer has to take at most. The kernel logs
	// the packets of a group under a lock, one to one and a half million a second; one takes some
	// 250 bytes of the buffer in a batch, 832 alone.
	fillRate = 800_000_000

	// bindAttempts is how often a group is bound whose answers fall to a socket full of packets.
	bindAttempts = 3
)

// A Reader reads one group. One goroutine may call Receive and use what it returns; the other
// methods may be called from any at any time.
type Reader struct {
	group  uint16
	socket *socket
	pause  time.Duration

	// Of the receiving goroutine.
	memory  []byte
	decoder *Decoder
	early   [][]byte // datagrams that came before the kernel's answer to the binding
	busy    bool     // something was received since the last pause
	rest    bool     // datagrams come so often that a pause pays

	unbound atomic.Bool

	mu    sync.Mutex
	drops uint64 // SocketStats.Drops when it was asked for last
}

// OpenReader binds the group, which has to be free. From then on the kernel queues the packets that
// are logged to it until Receive takes them, and numbers them but for a few that may come first.
//
// The error wraps [ErrGroupHeld], [ErrPermission] or [ErrUnsupported] where one of them is the
// reason.
func OpenReader(group uint16, config ReaderConfig) (*Reader, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", group, err)
	}
	s, err := openSocket(c.NetNS, c.SocketBuffer)
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", group, err)
	}
	r := &Reader{group: group, socket: s, memory: make([]byte, receiveBuffer), decoder: NewDecoder(group)}
	if err := r.bind(c); err != nil {
		_ = s.close()
		return nil, fmt.Errorf("bind NFLOG group %d: %w", group, err)
	}
	return r, nil
}

// bind configures the group and takes the measures of its socket.
func (r *Reader) bind(c ReaderConfig) error {
	stats, err := r.SocketStats()
	if err != nil {
		return err
	}
	c.BatchBuffer = min(c.BatchBuffer, largestBatch(stats.Buffer))
	r.pause = pause(stats.Buffer)

	for attempt := uint32(1); attempt <= bindAttempts; attempt++ {
		req, err := bindRequest(r.group, c, attempt)
		if err != nil {
			return err
		}
		errno, err := r.transact(req, attempt)
		switch {
		case errors.Is(err, errNoAnswer):
			continue // it fell to a socket buffer full of packets
		case err != nil:
			return err
		case errno == 0, errno == syscall.EBUSY && attempt > 1: // the one before was heard
			return nil
		case errno == syscall.EPERM:
			return r.refused()
		case errno == syscall.EEXIST: // another socket was faster
			return ErrGroupHeld
		case errno == syscall.EINVAL:
			return fmt.Errorf("%w (%w)", ErrUnsupported, errno)
		default:
			return errno
		}
	}
	return errNoAnswer
}

// largestBatch returns the size of the largest batch buffers of which a socket buffer holds eight. The
// kernel allocates powers of two: some of each for a struct skb_shared_info, the rest for messages,
// and accounts for a struct sk_buff beside it.
func largestBatch(buffer uint32) uint32 {
	const sharedInfo, skBuff = 320, 256
	room := int(buffer/8) - skBuff
	if room < MinBatchBuffer+sharedInfo {
		return MinBatchBuffer
	}
	return 1<<(bits.Len(uint(room))-1) - sharedInfo
}

// pause returns how long a reader may rest that has just emptied a socket buffer of so many bytes,
// so that no more than half of it fills.
func pause(buffer uint32) time.Duration {
	return min(maxPause, time.Duration(buffer/2)*time.Second/fillRate)
}

// refused tells why the kernel does not permit to bind the group: it gives the same errno for a
// group that another socket holds and for a missing capability.
func (r *Reader) refused() error {
	const sequence = bindAttempts + 1
	req, err := probeRequest(sequence)
	if err != nil {
		return err
	}
	errno, err := r.transact(req, sequence)
	switch {
	case err != nil:
		return err
	case errno == syscall.EPERM:
		return ErrPermission
	default:
		return ErrGroupHeld
	}
}

var errNoAnswer = errors.New("the kernel's answer was lost in a full socket buffer: allow a larger one")

// transact sends a request and returns the errno of the kernel's answer. That is queued by the
// time that the request is sent, behind packets that came before it, which are kept.
func (r *Reader) transact(req []byte, sequence uint32) (syscall.Errno, error) {
	if err := r.socket.send(req); err != nil {
		return 0, err
	}
	for {
		n, kernel, err := r.socket.receive(r.memory)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return 0, errNoAnswer
		case err != nil:
			return 0, err
		case !kernel:
			r.decoder.batch.stats.Foreign++
			continue
		}
		datagram := r.memory[:min(n, len(r.memory))]
		if errno, ok := answer(datagram, sequence); ok {
			return errno, nil
		}
		r.early = append(r.early, slices.Clone(datagram))
	}
}

// Receive returns the next batch of packets, and waits for it if there is none. It takes what the
// batch before has left, so that each packet counts once, read or not.
//
// Loss is not an error: see [Batch.Lost], [Stats] and [SocketStats]. Receive returns [io.EOF] when
// everything was received after Unbind, [ErrClosed] after Close, [os.ErrDeadlineExceeded] if the
// deadline passed while it waited, and else what keeps the socket from being read, after which a
// reader is of no more use than to be closed.
//
// A busy reader is woken every 20 ms at most, so packets come with that delay beside the queue
// timeout's.
func (r *Reader) Receive() (*Batch, error) {
	r.decoder.batch.settle()
	for {
		// Loaded before the look at the socket, so that what Unbind makes the kernel deliver is seen.
		unbound := r.unbound.Load()
		datagram, ok, err := r.datagram()
		switch {
		case err != nil:
			return nil, err
		case ok:
			r.busy = true
			if datagram == nil {
				return r.decoder.begin(nil), nil
			}
			return r.decoder.Decode(datagram), nil
		case unbound:
			return nil, io.EOF
		case r.busy && r.rest:
			r.busy = false
			time.Sleep(r.pause)
		default:
			r.decoder.publish()
			began := time.Now()
			err := r.socket.wait()
			if err != nil && !r.unbound.Load() {
				return nil, err
			}
			r.rest = time.Since(began) < sparse
		}
	}
}

// datagram returns the next datagram, nil if it is not to be believed, or false if there is none
// at the moment.
func (r *Reader) datagram() (d []byte, ok bool, err error) {
	if len(r.early) > 0 && !r.socket.closed.Load() {
		d, r.early[0] = r.early[0], nil
		r.early = r.early[1:]
		return d, true, nil
	}
	stats := &r.decoder.batch.stats
	for {
		n, kernel, err := r.socket.receive(r.memory)
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
		case n > len(r.memory):
			stats.Truncated++
			return r.memory, true, nil
		default:
			errno, isAnswer := answer(r.memory[:n], unbindSequence)
			switch {
			case !isAnswer:
				return r.memory[:n], true, nil
			case errno == syscall.EPERM:
				return nil, false, fmt.Errorf("unbind NFLOG group %d: %w", r.group, ErrPermission)
			}
		}
	}
}

// Stats returns what was read, as of the last batch whose packets were all iterated over, or that
// another one followed.
func (r *Reader) Stats() Stats { return r.decoder.Stats() }

// SocketStats returns the state of the socket.
func (r *Reader) SocketStats() (SocketStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, err := r.socket.memory()
	if err != nil {
		return SocketStats{}, err
	}
	r.drops += uint64(m.drops - uint32(r.drops))
	return SocketStats{Drops: r.drops, Queued: m.queued, Buffer: m.buffer}, nil
}

// SetReadDeadline sets until when Receive may wait; the zero time is for ever. What has come by
// then is returned all the same.
func (r *Reader) SetReadDeadline(t time.Time) error { return r.socket.setReadDeadline(t) }

const unbindSequence = bindAttempts + 2

// Unbind ends the reading in order: the kernel delivers what it has gathered, unless the socket's
// buffer is full, and lets go of the group; Receive returns all that is left, then [io.EOF]. It takes
// the capability that OpenReader takes: where that was dropped, Receive returns [ErrPermission].
// Close has to follow.
func (r *Reader) Unbind() error {
	req, err := unbindRequest(r.group, unbindSequence)
	if err != nil {
		return err
	}
	if err := r.socket.send(req); err != nil {
		return fmt.Errorf("unbind NFLOG group %d: %w", r.group, err)
	}
	r.unbound.Store(true)
	return r.socket.setReadDeadline(time.Unix(1, 0)) // wakes Receive
}

// Close closes the reader and frees the group; packets that were not received are lost, unless
// Unbind and Receive took them before. A Receive that waits returns [ErrClosed]. To close a reader
// again is no error.
func (r *Reader) Close() error { return r.socket.close() }
