// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"errors"
	"time"
)

// Copy modes of a [Config]: what the kernel sends of each packet beside what it tells of it.
const (
	CopyNone   byte = 0 // nothing (NFULNL_COPY_NONE)
	CopyMeta   byte = 1 // nothing, too (NFULNL_COPY_META)
	CopyPacket byte = 2 // its first bytes, as many as Config.Bufsize says (NFULNL_COPY_PACKET)
)

// Flags of a [Config]. Any of them may be combined.
const (
	FlagSeq       uint16 = 1 // number the packets of the group: Attribute.Seq (NFULNL_CFG_F_SEQ)
	FlagGlobal    uint16 = 2 // number them over all groups: Attribute.SeqGlobal (NFULNL_CFG_F_SEQ_GLOBAL)
	FlagConntrack uint16 = 4 // send their connections: Attribute.Ct and CtInfo (NFULNL_CFG_F_CONNTRACK)
)

// GenericGroup is a setting of a [Config] without effect. In go-nflog it binds to the family
// AF_UNSPEC, which no kernel that NFLOG rules run on needs.
const GenericGroup uint16 = 1

// What [Open] returns, as it is, for a [Config] that it can't accept.
var (
	ErrCopyMode    = errors.New("unsupported copy mode") // Config.Copymode is none of the copy modes
	ErrUnknownFlag = errors.New("unsupported flag")      // Config.Flags has a bit that is none of the flags
)

// A Config says how [Open] reads a group. The zero value reads what the kernel tells of the packets of
// group 0, without their bytes.
type Config struct {
	// NetNS is a descriptor of the network namespace to read in; 0 is the calling thread's. It is
	// needed only while Open runs.
	NetNS int

	// Flags are any of FlagSeq, FlagGlobal and FlagConntrack. With FlagConntrack, registering fails
	// with [ErrNoConntrack] where the kernel can't do it.
	Flags uint16

	// QThresh is how many packets the kernel gathers at most before it delivers them; 0 is the
	// kernel's default, 100.
	QThresh uint32

	// Timeout is how long a packet waits for others at most before it is delivered, in hundredths
	// of a second; 0 is the kernel's default, a second.
	Timeout uint32

	// Group is the number of the group.
	Group uint16

	// Copymode is CopyNone, CopyMeta or CopyPacket.
	Copymode uint8

	// Bufsize is how many bytes of each packet are copied at most with CopyPacket; 0 stands for as
	// many as the kernel can, 65531.
	Bufsize uint32

	// Settings has no effect; see GenericGroup.
	Settings uint16

	// ReadTimeout has no effect.
	//
	// Deprecated: end the context of [Nflog.RegisterWithErrorFunc] to stop.
	ReadTimeout time.Duration

	// Logger is told what goes wrong beside the packets; nil is for nobody.
	Logger Logger
}

// binding returns how to deliver the packets of the group.
func (c *Config) binding() binding {
	const kernelThreshold = 100
	packets, copied := c.QThresh, c.Bufsize
	if packets == 0 {
		packets = kernelThreshold
	}
	if copied == 0 {
		copied = MaxCopyRange
	}
	return binding{
		mode:      c.Copymode,
		copyRange: c.Bufsize,
		flags:     c.Flags,
		batch:     batchBuffer(packets, copied),
		threshold: c.QThresh,
		timeout:   c.Timeout,
	}
}

// A Logger takes messages for people. Its methods are called from any goroutine.
type Logger interface {
	// Debugf tells of what was skipped, such as a malformed message.
	Debugf(format string, args ...interface{})

	// Errorf tells of what ended the reading.
	Errorf(format string, args ...interface{})
}

// noLogger logs nothing.
type noLogger struct{}

func (noLogger) Debugf(string, ...any) {}
func (noLogger) Errorf(string, ...any) {}

// A HookFunc is called with each packet, one after the other, in the order in which they were logged.
// The attribute is the hook's to keep. The reading ends when it returns anything but 0.
type HookFunc func(a Attribute) int

// An ErrorFunc is called with each error of reading. The reading ends when it returns anything but 0.
//
// The error is a [*netlink.OpError]. It wraps syscall.ENOBUFS when the kernel has dropped packets,
// which it does from then on until all that waits was read, unless the option netlink.NoENOBUFS is
// set; [os.ErrDeadlineExceeded] at a deadline of Nflog.Con, or when the context has ended; and
// [ErrClosed] after Close. After the last two the reading ends whatever is returned.
type ErrorFunc func(e error) int
