// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationGarbage sends datagrams to the exporter's socket that do not
// come from the kernel. Some look like messages of the kernel.
func TestIntegrationGarbage(t *testing.T) {
	ns := kerneltest.NS(t)
	b := logOutput(t, ns, "real")
	e := start(t, ns)

	const (
		packet    = 4 << 8 // NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
		errorType = 2      // NLMSG_ERROR
		done      = 3      // NLMSG_DONE
	)
	body := []byte{
		2, 0, 0, group, // IPv4, version 0, group
		8, 0, 1, 0, 0x08, 0x00, 3, 0, // NFULA_PACKET_HDR: IPv4, output
		10, 0, 10, 0, 'f', 'o', 'r', 'g', 'e', 0, 0, 0, // NFULA_PREFIX
		8, 0, 12, 0, 0x0f, 0xff, 0xff, 0xff, // NFULA_SEQ
	}
	garbage := [][]byte{
		{0},
		bytes.Repeat([]byte{0xff}, 64),
		make([]byte, 100_000),
		message(packet, 0, body),
		append(message(packet, 0, body), message(packet, 0, body)...),
		message(packet, 0, nil),
		message(done, 0, make([]byte, 4)),
	}
	for sequence := range uint32(10) {
		// Answers to requests that the exporter may have sent.
		garbage = append(garbage, message(errorType, sequence, make([]byte, 20)))
	}

	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	must(t, sendTo(ns, e.kernelGroup(t).Port, garbage))
	must(t, traffic.UDP(ns, toPort(loopback4), 4, 10))
	b.check(t, e)

	e.eventually(t, bookTimeout, func(s scrape) error {
		return s.expect(float64(len(garbage)), "nflog_receive_errors_total", "reason", "other")
	})
	must(t, traffic.UDP(ns, toPort(loopback4), 5, 10))
	b.check(t, e)
	s := e.mustScrape(t)
	if err := errors.Join(
		s.expect(1, "nflog_up"),
		s.expect(1, "nflog_binds_total"),
		s.expect(0, "nflog_decode_errors_total", "reason", "message"),
		s.expect(0, "nflog_decode_errors_total", "reason", "attribute"),
		s.expect(0, "nflog_unknown_attributes_total"),
	); err != nil {
		t.Error(err)
	}
}

// message returns a netlink message.
func message(typ uint16, sequence uint32, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, 0)
	b = binary.NativeEndian.AppendUint32(b, sequence)
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(b, body...)
}

// sendTo sends datagrams to a netlink port.
func sendTo(ns *netns.NS, port uint32, datagrams [][]byte) error {
	return ns.Do(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		defer unix.Close(fd)
		for i, b := range datagrams {
			if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port}); err != nil {
				return fmt.Errorf("datagram %d: %w", i, os.NewSyscallError("sendto", err))
			}
		}
		return nil
	})
}
