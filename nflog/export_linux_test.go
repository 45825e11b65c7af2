// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "golang.org/x/sys/unix"

// DropIncoming makes a socket drop everything that the kernel sends it, including acknowledgements.
func DropIncoming(fd int) error {
	filter := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K} // return 0: keep no byte
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &filter})
}
