// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiver takes datagrams from a descriptor without waiting or allocating.
type receiver struct {
	buf   []byte // where to
	n     int
	from  unix.RawSockaddrNetlink
	errno syscall.Errno
}

// tryReceive is one system call; package unix would allocate the sender's address.
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

// result returns what tryReceive has received, as a transport does.
func (r *receiver) result() (n int, kernel bool, err error) {
	if r.errno != 0 {
		return 0, false, r.errno
	}
	return r.n, r.from.Pid == 0, nil
}

// send sends a request to the kernel, which has handled it when send returns.
func send(fd int, request []byte) error {
	return privileged(func() error {
		return os.NewSyscallError("sendto", unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	})
}

// socketMemory is what struct sk_meminfo (SK_MEMINFO_* of include/uapi/linux/sock_diag.h) tells.
type socketMemory struct{ queued, buffer, drops uint32 }

// memory returns the state of a socket.
func memory(fd int) (socketMemory, error) {
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return socketMemory{}, os.NewSyscallError("getsockopt", errno)
	}
	return socketMemory{queued: info[0], buffer: info[1], drops: info[8]}, nil
}
