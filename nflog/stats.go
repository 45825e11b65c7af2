// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// Stats counts what a [Reader] has read since it was opened.
//
// Packets + Lost is how many packets the kernel has logged to the group since it was bound, exactly,
// as of the last packet received: whatever was lost between the kernel's log and the reader is in
// Lost, as the kernel's numbers show, including packets whose message was malformed. The kernel keeps
// no number of packets that were logged while the group was not bound, nor of those that it had no
// memory for.
type Stats struct {
	Packets   uint64 // packets received
	Lost      uint64 // packets that the sequence numbers show as lost
	Datagrams uint64 // datagrams received: batches

	Overruns  uint64 // reads that failed because the kernel had dropped datagrams (ENOBUFS): none where it knows NETLINK_NO_ENOBUFS
	Truncated uint64 // datagrams that were longer than the reader's memory; the message that is cut counts as malformed, and the rest in Lost
	Foreign   uint64 // datagrams that another process sent instead of the kernel; they are ignored

	MalformedMessages   uint64 // messages of a bad length, with the rest of their datagram, or of a bad type or group; skipped
	MalformedAttributes uint64 // messages with a bad attribute, or without one that every packet has; skipped
	UnknownAttributes   uint64 // attributes of a type that this package does not know; ignored
}

// Plus returns the sum of the counts, such as those of the readers that a program opened one
// after the other.
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
	return s
}

// malformed returns how many messages were skipped.
func (s Stats) malformed() uint64 { return s.MalformedMessages + s.MalformedAttributes }

// SocketStats is the state of a reader's socket, as the kernel accounts for it (SO_MEMINFO).
type SocketStats struct {
	// Drops is how many datagrams the kernel dropped because the receive buffer was full, since the
	// reader was opened: batches, and its answers to Unbind. The kernel's counter has 32 bits; this one goes on where that wraps, if it
	// is asked often enough.
	Drops uint64

	// Queued and Buffer are the bytes held by datagrams that wait to be read, and how many may
	// be. The kernel counts the memory that datagrams take, more than their length.
	Queued, Buffer uint32
}
