// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"cmp"
	"errors"
	"time"
)

// Copy modes of a [Config]: how many bytes of each packet the kernel sends, beside its attributes.
const (
	CopyNone   byte = 0 // none (NFULNL_COPY_NONE)
	CopyMeta   byte = 1 // also none (NFULNL_COPY_META)
	CopyPacket byte = 2 // the first Config.Bufsize bytes (NFULNL_COPY_PACKET)
)

// Flags of a [Config]. They may be combined freely.
const (
	FlagSeq       uint16 = 1 // number the packets of the group, see Attribute.Seq (NFULNL_CFG_F_SEQ)
	FlagGlobal    uint16 = 2 // number them across all groups, see Attribute.SeqGlobal (NFULNL_CFG_F_SEQ_GLOBAL)
	FlagConntrack uint16 = 4 // send their connections, see Attribute.Ct and CtInfo (NFULNL_CFG_F_CONNTRACK)
)

// GenericGroup is a setting of a [Config] that has no effect. In go-nflog it binds the family AF_UNSPEC,
// which no kernel with NFLOG rules needs.
const GenericGroup uint16 = 1

// Errors that [Open] returns unwrapped for an invalid [Config].
var (
	ErrCopyMode    = errors.New("unsupported copy mode") // Config.Copymode is not a copy mode
	ErrUnknownFlag = errors.New("unsupported flag")      // Config.Flags has an unknown bit
)

// A Config says how [Open] reads a group. The zero value reads the packets of group 0 without their
// bytes.
type Config struct {
	// NetNS is a descriptor of the network namespace to read in. 0 means the calling thread's. It may
	// be closed once Open has returned. The namespace lives on until Close.
	NetNS int

	// Flags is any combination of FlagSeq, FlagGlobal and FlagConntrack. With FlagConntrack,
	// registering a hook fails with [ErrNoConntrack] if the kernel can't send connections.
	Flags uint16

	// QThresh is how many packets the kernel gathers at most before it delivers them. 0 means as many
	// as a batch holds. A rule may request fewer.
	QThresh uint32

	// Timeout is how long the kernel holds a packet at most before it delivers it, in hundredths of a
	// second, up to 4294967. 0 means 10: a tenth of a second.
	Timeout uint32

	// Group is the number of the group. No other socket may hold it when a hook is registered.
	Group uint16

	// Copymode is CopyNone, CopyMeta or CopyPacket.
	Copymode uint8

	// Bufsize is how many bytes of each packet the kernel copies at most with CopyPacket. 0 means
	// MaxCopyRange. A rule may request fewer.
	Bufsize uint32

	// Settings has no effect, see GenericGroup.
	Settings uint16

	// ReadTimeout has no effect.
	//
	// Deprecated: to stop, cancel the context of [Nflog.RegisterWithErrorFunc].
	ReadTimeout time.Duration

	// Logger gets messages about problems that reach neither the hook nor the error function. nil
	// means that nothing is logged.
	Logger Logger
}

// groupConfig returns what to configure for the group in the kernel.
func (c *Config) groupConfig() groupConfig {
	const defaultTimeout = 10
	threshold := cmp.Or(c.QThresh, DefaultQueueThreshold)
	return groupConfig{
		copyMode:       c.Copymode,
		copyRange:      c.Bufsize,
		flags:          c.Flags,
		batchBuffer:    defaultBatchBuffer(threshold, cmp.Or(c.Bufsize, MaxCopyRange)),
		queueThreshold: threshold,
		queueTimeout:   cmp.Or(c.Timeout, defaultTimeout),
	}
}
