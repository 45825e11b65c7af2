// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"context"
	"slices"
)

// Deliver calls a hook with the packets of a group's datagrams, as if they came from the kernel, and
// reports whether it wants more.
func Deliver(group uint16, logger Logger, hook HookFunc, datagrams ...[]byte) (more bool) {
	r := &reading{
		nflog:   &Nflog{logger: logger},
		ctx:     context.Background(),
		hook:    hook,
		decoder: NewDecoder(group),
	}
	return !slices.ContainsFunc(datagrams, func(datagram []byte) bool { return !r.deliver(datagram) })
}
