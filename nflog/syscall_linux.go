// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiver takes datagrams from a socket. It neither waits nor allocates.
type receiver struct {
	buf   []byte
	n     int
	from  unix.RawSockaddrNetlink
	errno syscall.Errno
}

// tryReceive receives a datagram. Package unix would allocate the sender's address.
func (r *receiver) tryReceive(fd uintptr) {
	for {
		fromLen := uint32(unix.SizeofSockaddrNetlink)
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)), unix.MSG_DONTWAIT|unix.MSG_TRUNC,
			uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&fromLen)))
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return
		}
	}
}

// result returns the result of tryReceive, see transport.receive.
func (r *receiver) result() (n int, kernel bool, err error) {
	if r.errno != 0 {
		return 0, false, r.errno
	}
	return r.n, r.from.Pid == 0, nil
}

// send sends a request to the kernel. The kernel has handled it when send returns.
func send(fd int, request []byte) error {
	return withNetAdmin(func() error {
		return os.NewSyscallError("sendto", unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	})
}

// memInfo is a part of the socket option SO_MEMINFO (SK_MEMINFO_* of include/uapi/linux/sock_diag.h).
type memInfo struct {
	queued uint32 // bytes of waiting datagrams (SK_MEMINFO_RMEM_ALLOC)
	buffer uint32 // size of the receive buffer in bytes (SK_MEMINFO_RCVBUF)
	drops  uint32 // dropped datagrams (SK_MEMINFO_DROPS)
}

// getMemInfo returns the memory accounting of a socket.
func getMemInfo(fd int) (memInfo, error) {
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return memInfo{}, os.NewSyscallError("getsockopt", errno)
	}
	return memInfo{queued: info[0], buffer: info[1], drops: info[8]}, nil
}
