// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

// Privileged calls fn as this package makes its own privileged calls: in the network namespace with descriptor netns, or in the
// calling thread's if netns is 0, and with CAP_NET_ADMIN effective if it is permitted. It is for other requests to netfilter. fn
// stays on one thread. The error is that of fn, or of entering the namespace.
func Privileged(netns int, fn func() error) error {
	return inNetNS(netns, func() error { return withNetAdmin(fn) })
}
