// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"cmp"
	"errors"
	"time"
)

// Copy modes of a [Config]: what the kernel sends of each packet's bytes, beside what it tells of it.
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
	// NetNS is a descriptor of the network namespace to read in; 0 is the calling thread's. It may
	// be closed when Open has returned. The namespace lives on until Close.
	NetNS int

	// Flags are any of FlagSeq, FlagGlobal and FlagConntrack, together. With FlagConntrack,
	// registering fails with [ErrNoConntrack] where the kernel can't do it.
	Flags uint16

	// QThresh is how many packets the kernel gathers at most before it delivers them; 0 is as many
	// as a batch can hold. A rule may ask for fewer.
	QThresh uint32

	// Timeout is how long a packet waits for others at most before it is delivered, in hundredths
	// of a second; 0 stands for 10: a tenth of a second. The kernel takes up to 4294967.
	Timeout uint32

	// Group is the number of the group, which has to be free when a hook is registered.
	Group uint16

	// Copymode is CopyNone, CopyMeta or CopyPacket.
	Copymode uint8

	// Bufsize is how many bytes of each packet are copied at most with CopyPacket; 0 stands for as
	// many as the kernel can, 65531. A rule may ask for fewer.
	Bufsize uint32

	// Settings has no effect; see GenericGroup.
	Settings uint16

	// ReadTimeout has no effect.
	//
	// Deprecated: end the context of [Nflog.RegisterWithErrorFunc] to stop.
	ReadTimeout time.Duration

	// Logger is told what goes wrong and reaches neither the hook nor the error function; nil is for
	// nobody.
	Logger Logger
}

// binding returns how to deliver the packets of the group.
func (c *Config) binding() binding {
	const defaultTimeout = 10
	return binding{
		mode:      c.Copymode,
		copyRange: c.Bufsize,
		flags:     c.Flags,
		batch:     batchBuffer(cmp.Or(c.QThresh, DefaultQueueThreshold), cmp.Or(c.Bufsize, MaxCopyRange)),
		threshold: cmp.Or(c.QThresh, DefaultQueueThreshold),
		timeout:   cmp.Or(c.Timeout, defaultTimeout),
	}
}

// A Logger takes messages for people. Its methods are called from any goroutine.
type Logger interface {
	// Debugf tells of what was skipped, such as a malformed message.
	Debugf(format string, args ...any)

	// Errorf tells of an error that has ended the reading of [Nflog.Register], and of a group that
	// could not be unbound.
	Errorf(format string, args ...any)
}

// noLogger logs nothing.
type noLogger struct{}

// Debugf logs nothing.
func (noLogger) Debugf(string, ...any) {}

// Errorf logs nothing.
func (noLogger) Errorf(string, ...any) {}

// A HookFunc is called with each packet, one after the other, in the order in which they were logged.
// The attribute, with all that it points to, is the hook's to keep and to change. The reading ends when
// it returns anything but 0.
type HookFunc func(a Attribute) int

// An ErrorFunc is called with each error of reading, in the goroutine of the hook. The reading ends when it
// returns anything but 0.
//
// The error is a [*netlink.OpError]. It wraps syscall.ENOBUFS when the kernel has dropped packets,
// which it does from then on until all that waits was read, unless the option netlink.NoENOBUFS is
// set. At a deadline of Nflog.Con it wraps [os.ErrDeadlineExceeded], again and again until another
// deadline is set. When the context has ended, it wraps the same, and after Close, [ErrClosed]: then the
// reading ends whatever is returned, and this call is the last one, behind the last one of the hook.
type ErrorFunc func(e error) int
