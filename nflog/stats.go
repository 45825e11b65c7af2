// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// Stats counts what a [Reader] has read since it was opened. [Reader.Stats] returns the counts of all groups, for any
// goroutine at any time. [Batch.Stats] returns those of the batch's group, as of the batch.
//
// Packets + Lost is exactly how many packets the kernel has logged to the group since it was bound, as of
// the last packet received. Lost covers everything that got lost between the kernel's log and the reader,
// including packets whose message was malformed: the kernel's sequence numbers show it. The kernel does
// not number packets that are logged while the group is not bound, nor packets that it has no memory for.
type Stats struct {
	Packets   uint64 // packets received
	Lost      uint64 // packets that the sequence numbers show as lost
	Datagrams uint64 // datagrams received: batches

	Overruns  uint64 // receive calls that failed because the kernel had dropped datagrams (ENOBUFS); 0 if it supports NETLINK_NO_ENOBUFS
	Truncated uint64 // datagrams longer than the receive buffer; the message at the cut counts as malformed, the rest as Lost
	Foreign   uint64 // datagrams that another process sent; ignored

	MalformedMessages   uint64 // messages of a bad length, type or group; skipped, after a bad length with the rest of the datagram
	MalformedAttributes uint64 // messages with a bad attribute, or without an attribute that every packet has; skipped
	UnknownAttributes   uint64 // attributes of an unknown type; ignored

	Socket SocketStats // zero in Batch.Stats
}

// Plus returns the sum of the counts, for example of readers that a program opened one after another. Of the sockets, only
// the drops are added: Queued and Buffer are those of other.
func (s Stats) Plus(other Stats) Stats {
	s.Packets += other.Packets
	s.Lost += other.Lost
	s.Datagrams += other.Datagrams
	s.Overruns += other.Overruns
	s.Truncated += other.Truncated
	s.Foreign += other.Foreign
	s.MalformedMessages += other.MalformedMessages
	s.MalformedAttributes += other.MalformedAttributes
	s.UnknownAttributes += other.UnknownAttributes
	drops := s.Socket.Drops
	s.Socket = other.Socket
	s.Socket.Drops += drops
	return s
}

// malformed returns how many messages were skipped.
func (s Stats) malformed() uint64 { return s.MalformedMessages + s.MalformedAttributes }

// SocketStats is the state of a reader's socket, from the kernel's accounting (SO_MEMINFO).
type SocketStats struct {
	// Drops is how many datagrams the kernel has dropped because the receive buffer was full, since the
	// reader was opened. These are batches, and acknowledgements of Unbind and Configure. The kernel's
	// counter has 32 bits. Drops continues when that wraps, if Reader.Stats is called at least once
	// in 2³² drops.
	Drops uint64

	// Queued is how many bytes of memory the waiting datagrams take, which is more than their length.
	// Buffer is the limit.
	Queued, Buffer uint32
}
