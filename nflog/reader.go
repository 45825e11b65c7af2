// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
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
)

// A Reader reads a group, or several of them. One goroutine may call Receive and use what it
// returns; the other methods may be called from any at any time. Each Reader has 256 KiB of memory for
// what it receives.
type Reader struct {
	socket    *socket
	pause     atomic.Int64 // a time.Duration
	conntrack bool
	elsewhere bool // in another network namespace than the program's own

	// Of the receiving goroutine.
	memory   []byte
	decoders []*Decoder // of each group
	current  *Decoder   // whose batch was received last
	early    [][]byte   // datagrams that came before the kernel's answer to the binding
	refusal  error      // why the kernel has not unbound a group
	busy     bool       // something was received since the last pause
	rest     bool       // datagrams come so often that a pause pays

	unbound atomic.Bool

	mu    sync.Mutex
	drops uint64 // SocketStats.Drops when it was asked for last
}

// OpenReader binds the group, which has to be free. From then on the kernel queues the packets that
// are logged to it until Receive takes them, and numbers them but for a few that may come first.
//
// The error wraps [ErrGroupHeld], [ErrPermission], [ErrUnsupported] or [ErrNoConntrack] where one
// of them is the reason, and tells which field of the configuration can't be accepted.
func OpenReader(group uint16, config ReaderConfig) (*Reader, error) {
	return OpenGroups([]uint16{group}, config)
}

// OpenGroups is as OpenReader for several groups, all of them or none, on one socket. Each batch is of
// one of them: see [Batch.Group]. They share the socket's buffer, so that one which logs much may cost
// packets of the others: a Reader of its own for each group is better where that matters.
func OpenGroups(groups []uint16, config ReaderConfig) (*Reader, error) {
	if len(groups) == 0 {
		return nil, errors.New("open NFLOG groups: none is given")
	}
	for i, group := range groups {
		if slices.Contains(groups[:i], group) {
			return nil, fmt.Errorf("open NFLOG group %d: it is given twice", group)
		}
	}
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", groups[0], err)
	}
	s, err := openSocket(c.NetNS, c.SocketBuffer)
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", groups[0], err)
	}
	r := &Reader{socket: s, memory: make([]byte, receiveBuffer), conntrack: c.Conntrack != ConntrackOff, elsewhere: c.NetNS != 0}
	for _, group := range groups {
		r.decoders = append(r.decoders, NewDecoder(group))
	}
	r.current = r.decoders[0]
	if err := r.bind(c); err != nil {
		_ = s.close()
		return nil, err
	}
	return r, nil
}

// bind configures the groups and takes the measures of their socket.
func (r *Reader) bind(c ReaderConfig) error {
	if err := r.measure(&c); err != nil {
		return fmt.Errorf("open NFLOG group %d: %w", r.decoders[0].batch.group, err)
	}
	e := &exchange{transport: r.socket, netns: c.NetNS, memory: r.memory}
	for _, d := range r.decoders {
		group := d.batch.group
		err := e.bind(group, c.binding(r.conntrack))
		if errors.Is(err, ErrNoConntrack) && c.Conntrack == ConntrackPreferred {
			r.conntrack = false
			err = e.bind(group, c.binding(false))
		}
		if err != nil {
			return fmt.Errorf("bind NFLOG group %d: %w", group, err)
		}
	}
	r.early = e.early
	r.current.batch.stats.Foreign += e.foreign
	return nil
}

// measure adapts a configuration, and the reader, to the size that the socket's buffer has come to.
func (r *Reader) measure(c *ReaderConfig) error {
	stats, err := r.SocketStats()
	if err != nil {
		return err
	}
	c.BatchBuffer = min(c.BatchBuffer, largestBatch(stats.Buffer))
	r.pause.Store(int64(pause(stats.Buffer)))
	return nil
}

// Configure has the kernel deliver the groups as another configuration says, from the next packet on: none is
// lost meanwhile, or goes without a number. What the kernel has gathered already may still wait as long as before.
// NetNS and Conntrack stay what they are.
//
// The error tells which field of the configuration can't be accepted, or is [ErrClosed] after Close. Where the kernel
// refuses, Receive returns the error.
func (r *Reader) Configure(config ReaderConfig) error {
	c, err := config.withDefaults()
	if err == nil {
		err = r.socket.setReadBuffer(c.SocketBuffer)
	}
	if err == nil {
		err = r.measure(&c)
	}
	for _, d := range r.decoders {
		if err == nil {
			err = configure(r.socket, d.batch.group, c.binding(r.conntrack))
		}
	}
	if err != nil {
		return fmt.Errorf("configure NFLOG group %d: %w", r.decoders[0].batch.group, err)
	}
	return nil
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

// Receive returns the next batch of packets, and waits for it if there is none. The batch is
// borrowed: it and its packets are good until the next call of Receive, which uses their memory
// again. That takes what the batch before has left, so that each packet counts once, read or not.
//
// Loss is not an error: see [Batch.Lost], [Stats] and [SocketStats]. Receive returns [io.EOF] when
// everything was received after Unbind, [ErrClosed] after Close, [os.ErrDeadlineExceeded] if the
// deadline passed while it waited, and else what keeps the socket from being read, after which a
// reader is of no more use than to be closed.
//
// A busy reader looks at an empty socket again after 20 ms, sooner where the socket's buffer would fill
// meanwhile, so packets come with that delay beside the queue timeout's.
func (r *Reader) Receive() (*Batch, error) {
	r.current.batch.drain()
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
				return r.current.begin(nil), nil
			}
			r.current = r.decoder(datagram)
			return r.current.Decode(datagram), nil
		case unbound && r.refusal != nil:
			return nil, r.refusal
		case unbound:
			return nil, io.EOF
		case r.busy && r.rest:
			r.busy = false
			time.Sleep(time.Duration(r.pause.Load()))
		default:
			r.current.publish()
			began := time.Now()
			err := r.socket.wait()
			if err != nil && !r.unbound.Load() {
				return nil, err
			}
			r.rest = time.Since(began) < sparse
		}
	}
}

// decoder returns the decoder of a datagram's group. All messages of a datagram are of one group.
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

// datagram returns the next datagram, nil if it is not to be believed, or false if there is none
// at the moment.
func (r *Reader) datagram() (d []byte, ok bool, err error) {
	if len(r.early) > 0 && !r.socket.closed.Load() {
		d, r.early[0] = r.early[0], nil
		r.early = r.early[1:]
		return d, true, nil
	}
	stats := &r.current.batch.stats
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
			if !r.takeAnswer(r.memory[:n]) {
				return r.memory[:n], true, nil
			}
			if r.refusal != nil {
				return nil, false, r.refusal
			}
		}
	}
}

// takeAnswer reports whether a datagram is the answer to a request of Unbind or Configure, and keeps the error where that
// was refused.
func (r *Reader) takeAnswer(datagram []byte) bool {
	if errno, ok := answer(datagram, unbindSequence); ok {
		if errno == syscall.EPERM {
			r.refusal = fmt.Errorf("unbind NFLOG groups: %w", r.unbindRefused())
		}
		return true
	}
	errno, ok := answer(datagram, configureSequence)
	switch errno {
	case 0, syscall.ENODEV: // the group was unbound before
	case syscall.EPERM:
		r.refusal = fmt.Errorf("configure NFLOG groups: %w", r.unbindRefused())
	default:
		r.refusal = fmt.Errorf("configure NFLOG groups: %w", errno)
	}
	return ok
}

// unbindRefused tells which capability is missing since the groups were bound.
func (r *Reader) unbindRefused() error {
	if r.elsewhere {
		return &PermissionError{Capability: "CAP_NET_ADMIN"}
	}
	return permissionError(0, "CAP_NET_ADMIN")
}

// Stats returns what was read, of all groups, as of the last batch whose packets were all iterated
// over, or that another one followed.
func (r *Reader) Stats() Stats {
	var sum Stats
	for _, d := range r.decoders {
		sum = sum.Plus(d.Stats())
	}
	return sum
}

// GroupStats is as Stats for one of several groups. What belongs to the socket, not to a group, counts
// with any of them: Overruns, Truncated and Foreign. It is zero for a group that is not read.
func (r *Reader) GroupStats(group uint16) Stats {
	for _, d := range r.decoders {
		if d.batch.group == group {
			return d.Stats()
		}
	}
	return Stats{}
}

// Conntrack reports whether the kernel was asked to send the packets' connections, and can: see
// [ReaderConfig].
func (r *Reader) Conntrack() bool { return r.conntrack }

// SocketStats returns the state of the socket, by a system call. The error is [ErrClosed] after Close.
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

// SetReadDeadline sets until when Receive may wait, also one that waits already; the zero time is for
// ever. What has come by then is returned all the same. The error is [ErrClosed] after Close.
func (r *Reader) SetReadDeadline(t time.Time) error { return r.socket.setReadDeadline(t) }

// Unbind ends the reading in order: the kernel delivers what it has gathered, unless the socket's
// buffer is full, and lets go of the groups; Receive returns all that is left, then [io.EOF]. It takes
// the capability that OpenReader takes: where that was dropped, Receive returns [ErrPermission].
// Close has to follow. The error wraps [ErrClosed] after it.
func (r *Reader) Unbind() error {
	for _, d := range r.decoders {
		if err := unbind(r.socket, d.batch.group); err != nil {
			return fmt.Errorf("unbind NFLOG group %d: %w", d.batch.group, err)
		}
	}
	r.unbound.Store(true)
	return r.socket.setReadDeadline(time.Unix(1, 0)) // wakes Receive
}

// Close closes the reader and frees its groups; packets that were not received are lost, unless
// Unbind and Receive took them before. A Receive that waits returns [ErrClosed]. To close a reader
// again is no error.
func (r *Reader) Close() error { return r.socket.close() }
