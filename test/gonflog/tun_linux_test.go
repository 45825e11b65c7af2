// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
)

// TestIntegrationTun logs a packet of a link without link headers: the kernel sends
// an empty header.
func TestIntegrationTun(t *testing.T) {
	ns := kerneltest.NS(t)
	tun, err := openTun(ns, "tun0")
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		t.Skip(err) // an ordinary user may not have access to the device
	}
	must(t, err)
	defer tun.Close()
	must(t, ns.SetUp("tun0"))
	stampPackets(t)
	d := newDifferential(t, ns, everyPacket())
	d.log(d.rules.Chain(nftrules.Chain{Hook: nftrules.Prerouting}), "tun", nftrules.InInterface("tun0"))
	must(t, d.rules.Apply())

	packet := ipPacket(leftHost4.Addr(), rightHost4.Addr(), []byte("four"))
	_, err = tun.Write(packet)
	must(t, err)
	a := d.takeEqual(t, 1)[0]
	checkPresent(t, a, "InDev", "Payload", "Timestamp", "HwType", "HwLen", "HwHeader")
	checkAbsent(t, a, "HwAddr")
	if diff := cmp.Diff(&[]byte{}, a.HwHeader); diff != "" {
		t.Errorf("unexpected link header (-want +got):\n%s", diff)
	}
}

// openTun makes a TUN link in the namespace. The link receives the packets that are
// written to the file.
func openTun(ns *netns.NS, name string) (file *os.File, err error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	err = ns.Do(func() error {
		// The link belongs to the namespace in which the file is opened.
		if file, err = os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(int(file.Fd()), unix.TUNSETIFF, request); err != nil {
			return errors.Join(os.NewSyscallError("ioctl TUNSETIFF", err), file.Close())
		}
		return nil
	})
	return file, err
}
