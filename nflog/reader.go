// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Reader reads one group, or several of them. Only one goroutine may call Receive and use what it
// returns. The other methods may be called from any goroutine at any time. Each Reader holds a receive
// buffer of 256 KiB.
type Reader struct {
	socket     *socket
	pause      atomic.Int64              // a time.Duration, see pauseFor
	deadline   atomic.Pointer[time.Time] // of Receive; nil or the zero time for none
	otherNetNS bool                      // the network namespace is not the program's own

	// Used by the receiving goroutine.
	buf        []byte
	decoders   []*Decoder // one per group
	current    *Decoder   // decoder of the last batch
	pending    [][]byte   // datagrams that arrived before the kernel acknowledged the binding
	requestErr error      // why the kernel refused to configure or unbind a group
	busy       bool       // a datagram was received since the last pause
	frequent   bool       // datagrams come so often that a pause saves wake-ups

	unbound atomic.Bool

	mu        sync.Mutex
	config    ReaderConfig // in effect
	lastStats SocketStats
}

// OpenReader binds the group. From then on the kernel queues the packets that are logged to it until
// Receive takes them. It numbers them, except for a few that may come first.
//
// The error wraps [ErrGroupHeld], [ErrPermission], [ErrUnsupported] or [ErrNoConntrack] if one of them is
// the reason. If the configuration is invalid, the error names the field.
func OpenReader(group uint16, config ReaderConfig) (*Reader, error) {
	return OpenGroups([]uint16{group}, config)
}

// OpenGroups is like OpenReader for several groups on one socket. It binds all of them or none. Each batch
// holds packets of one group, see [Batch.Group]. The groups share the socket's receive buffer, so a busy
// group may cause losses in the others. Use a Reader per group where that matters.
func OpenGroups(groups []uint16, config ReaderConfig) (*Reader, error) {
	if len(groups) == 0 {
		return nil, errors.New("open NFLOG groups: no group is given")
	}
	for i, group := range groups {
		if slices.Contains(groups[:i], group) {
			return nil, fmt.Errorf("open NFLOG group %d: the group is given twice", group)
		}
	}
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", groups[0], err)
	}
	s, err := openSocket(config.NetNS, config.SocketBuffer)
	if err != nil {
		return nil, fmt.Errorf("open NFLOG group %d: %w", groups[0], err)
	}
	r := &Reader{
		socket:     s,
		buf:        make([]byte, receiveBuffer),
		otherNetNS: config.NetNS != 0,
	}
	for _, group := range groups {
		r.decoders = append(r.decoders, NewDecoder(group))
	}
	r.current = r.decoders[0]
	if err := r.bind(config); err != nil {
		_ = s.close()
		return nil, err
	}
	return r, nil
}

// bind binds and configures the groups.
func (r *Reader) bind(config ReaderConfig) error {
	if err := r.fitToBuffer(&config); err != nil {
		return fmt.Errorf("open NFLOG group %d: %w", r.decoders[0].batch.group, err)
	}
	c := &configurator{transport: r.socket, netns: config.NetNS, buf: r.buf}
	for _, d := range r.decoders {
		group := d.batch.group
		err := c.bind(group, config.groupConfig())
		if errors.Is(err, ErrNoConntrack) && config.Conntrack == ConntrackPreferred {
			config.Conntrack = ConntrackOff
			err = c.bind(group, config.groupConfig())
		}
		if err != nil {
			return fmt.Errorf("bind NFLOG group %d: %w", group, err)
		}
	}
	r.pending = c.pending
	r.current.batch.stats.Foreign += c.notFromKernel
	config.NetNS = 0
	r.config = config
	return nil
}

// Config returns the configuration that is in effect. Fields that were zero have their defaults. BatchBuffer
// may be lower than requested, see there. Conntrack is ConntrackOff if it was ConntrackPreferred, but the kernel can't
// send connections. NetNS is 0, as its descriptor may be closed.
func (r *Reader) Config() ReaderConfig {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config
}

// Configure replaces the configuration, from the next packet on. A field that is zero gets its default, not its value of
// before: to change some fields, change what Config returns. NetNS and Conntrack have no effect.
//
// No packet is lost or misses its number meanwhile. Packets that the kernel has gathered already may still
// wait as long as before. The error names the field if the configuration is invalid, and is [ErrClosed] after Close. If
// the kernel refuses the configuration, Receive returns the error.
func (r *Reader) Configure(config ReaderConfig) error {
	config, err := config.withDefaults()
	if err == nil {
		err = r.configure(config)
	}
	if err != nil {
		return fmt.Errorf("configure NFLOG group %d: %w", r.decoders[0].batch.group, err)
	}
	return nil
}

func (r *Reader) configure(config ReaderConfig) error {
	config.NetNS, config.Conntrack = 0, r.Config().Conntrack
	if err := r.socket.setReadBuffer(config.SocketBuffer); err != nil {
		return err
	}
	if err := r.fitToBuffer(&config); err != nil {
		return err
	}
	for _, d := range r.decoders {
		if err := configure(r.socket, d.batch.group, config.groupConfig()); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.config = config
	return nil
}

// fitToBuffer lowers the configuration's batch buffer, and sets the reader's pause, to fit the actual size
// of the socket's receive buffer.
func (r *Reader) fitToBuffer(config *ReaderConfig) error {
	stats, err := r.socketStats()
	if err != nil {
		return err
	}
	config.BatchBuffer = min(config.BatchBuffer, largestBatch(stats.Buffer))
	r.pause.Store(int64(pauseFor(stats.Buffer)))
	return nil
}

// Stats returns the counts of all groups, up to the last batch whose packets were all iterated over, or
// that another batch followed, and the state of the socket, for which it makes a system call. After Close, the socket's
// state is that of before. [Batch.Stats] has the counts of one group.
func (r *Reader) Stats() Stats {
	var sum Stats
	for _, d := range r.decoders {
		sum = sum.Plus(d.published())
	}
	sum.Socket, _ = r.socketStats()
	return sum
}

// socketStats returns the state of the socket, or its last known one with an error.
func (r *Reader) socketStats() (SocketStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, err := r.socket.memInfo()
	if err != nil {
		return r.lastStats, err
	}
	drops := r.lastStats.Drops
	r.lastStats = SocketStats{Drops: drops + uint64(m.drops-uint32(drops)), Queued: m.queued, Buffer: m.buffer}
	return r.lastStats, nil
}

// SetDeadline sets until when Receive returns packets, including a Receive that is waiting. The zero time means no
// deadline. Packets that Receive has not returned by then wait in the socket; set another deadline to receive them. After
// Unbind, the deadline has no effect. The error is [ErrClosed] after Close.
func (r *Reader) SetDeadline(t time.Time) error {
	r.deadline.Store(&t)
	if r.unbound.Load() {
		return r.socket.closedErr(nil)
	}
	return r.socket.setReadDeadline(t)
}

// untilDeadline returns how long it is until the deadline. ok is false without one.
func (r *Reader) untilDeadline() (d time.Duration, ok bool) {
	t := r.deadline.Load()
	if t == nil || t.IsZero() {
		return 0, false
	}
	return time.Until(*t), true
}

// Unbind stops reading without loss. The kernel delivers the packets that it has gathered, unless the
// socket's receive buffer is full, and releases the groups. Receive returns everything that is left, then
// [io.EOF]. Call Close after that.
//
// Unbind needs the same capability as OpenReader. If the process has dropped it, Receive returns an error
// that wraps [ErrPermission]. The error of Unbind wraps [ErrClosed] after Close.
func (r *Reader) Unbind() error {
	for _, d := range r.decoders {
		if err := unbind(r.socket, d.batch.group); err != nil {
			return fmt.Errorf("unbind NFLOG group %d: %w", d.batch.group, err)
		}
	}
	r.unbound.Store(true)
	return r.socket.setReadDeadline(time.Unix(1, 0)) // wakes Receive
}

// Close closes the reader and releases its groups. Packets that were not received are lost; call Unbind
// and Receive first to keep them. A Receive that is waiting returns [ErrClosed]. Closing a reader again is
// not an error.
func (r *Reader) Close() error {
	_, _ = r.socketStats() // for Stats after Close
	return r.socket.close()
}
