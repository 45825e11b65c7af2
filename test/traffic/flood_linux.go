// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// batchSize is how many datagrams one system call sends at most.
const batchSize = 32

// Flood sends count UDP datagrams of payloadSize bytes to dst, or, if count is 0,
// datagrams until ctx is done. It sends pps datagrams a second, or, if pps is 0, as
// fast as it can. It returns how many datagrams it has sent. Each is one packet at
// the output hook.
//
// Not all of them need arrive: lo and veth devices drop packets beyond the backlog
// of the receiving CPU (net.core.netdev_max_backlog).
func Flood(ctx context.Context, ns *netns.NS, dst netip.AddrPort, count, payloadSize, pps int) (sent int, err error) {
	fd, err := socket(ns, domain(dst.Addr()), unix.SOCK_DGRAM, 0)
	if err != nil {
		return 0, wrap(err, "UDP flood", dst)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, sockaddr(dst)); err != nil {
		return 0, wrap(os.NewSyscallError("connect", err), "UDP flood", dst)
	}

	batch := newBatch(payloadSize)
	start := time.Now()
	for ctx.Err() == nil && (count == 0 || sent < count) {
		n := batchSize
		if pps > 0 {
			due := int(time.Since(start).Seconds() * float64(pps))
			if due <= sent {
				time.Sleep(50 * time.Microsecond)
				continue
			}
			n = min(n, due-sent)
		}
		if count > 0 {
			n = min(n, count-sent)
		}
		n, err := batch.send(fd, n)
		if err != nil {
			return sent, wrap(err, "UDP flood", dst)
		}
		sent += n
	}
	return sent, nil
}

// A mmsghdr must match struct mmsghdr of <sys/socket.h>.
type mmsghdr struct {
	header unix.Msghdr
	_      uint32 // msg_len, which the kernel sets
}

// A batch is a set of equal datagrams.
type batch struct {
	payload  []byte
	iovec    unix.Iovec
	messages [batchSize]mmsghdr
}

// newBatch returns a batch of datagrams of payloadSize bytes.
func newBatch(payloadSize int) *batch {
	b := &batch{payload: make([]byte, payloadSize)}
	b.iovec.Base = unsafe.SliceData(b.payload)
	b.iovec.SetLen(payloadSize)
	for i := range b.messages {
		b.messages[i].header.Iov = &b.iovec
		b.messages[i].header.SetIovlen(1)
	}
	return b
}

// send sends n datagrams of the batch and returns how many the kernel took.
func (b *batch) send(fd, n int) (int, error) {
	sent, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages)), uintptr(n), 0, 0, 0)
	runtime.KeepAlive(b)
	switch errno {
	case 0:
		return int(sent), nil
	case unix.EPERM:
		return 1, nil // dropped by a rule of the output hook
	case unix.ECONNREFUSED, unix.EINTR, unix.ENOBUFS:
		// An ICMP error for an earlier datagram, or no memory: nothing was sent.
		return 0, nil
	default:
		return 0, os.NewSyscallError("sendmmsg", errno)
	}
}
