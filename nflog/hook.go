// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// A HookFunc is called with each packet, one at a time, in the order in which the kernel logged them. The
// hook may keep and change the attribute and everything it points to. If it returns anything but 0, it is
// not called again and the group is released.
type HookFunc func(a Attribute) int

// An ErrorFunc is called with each receive error, in the goroutine of the hook. If it returns anything but
// 0, the hook is not called again and the group is released.
//
// The error is a [*netlink.OpError]. It wraps:
//
//   - syscall.ENOBUFS if the kernel dropped packets. It then drops all packets until the socket is
//     empty, unless the option netlink.NoENOBUFS is set.
//   - [os.ErrDeadlineExceeded] if a read deadline of Nflog.Con has passed. It is reported again and again
//     until another deadline is set.
//   - [os.ErrDeadlineExceeded] if the context is done, and [ErrClosed] after Close. This is the last
//     call, whatever is returned, and it follows the last call of the hook.
type ErrorFunc func(e error) int

// A Logger takes messages for people. Its methods are called from any goroutine.
type Logger interface {
	// Debugf logs what was skipped, such as a malformed message.
	Debugf(format string, args ...any)

	// Errorf logs an error that ended [Nflog.Register], and a group that could not be unbound.
	Errorf(format string, args ...any)
}

// noLogger logs nothing.
type noLogger struct{}

// Debugf logs nothing.
func (noLogger) Debugf(string, ...any) {}

// Errorf logs nothing.
func (noLogger) Errorf(string, ...any) {}
