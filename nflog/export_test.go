// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
	"slices"
)

// Stats returns the counts of a Decoder that Reader.Stats returns.
func (d *Decoder) Stats() Stats { return d.published() }

// Counts returns the stats of a Reader without those of its socket.
func (r *Reader) Counts() Stats {
	s := r.Stats()
	s.Socket = SocketStats{}
	return s
}

// Deliver calls a hook with the packets of datagrams, as if the kernel had sent them. It returns false if the
// hook stops.
func Deliver(group uint16, logger Logger, hook HookFunc, datagrams ...[]byte) (more bool) {
	s := &session{
		nflog:   &Nflog{logger: logger},
		ctx:     context.Background(),
		hook:    hook,
		decoder: NewDecoder(group),
	}
	return !slices.ContainsFunc(datagrams, func(datagram []byte) bool { return !s.deliver(datagram) })
}
