// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A host is a network namespace for an example. Its firewall logs SSH and DNS to group 100 with the prefixes
// "ssh " and "dns ". The goroutine of the example runs in the namespace.
type host struct {
	ns    *netns.NS
	home  *os.File // previous namespace of the goroutine
	ended chan struct{}
}

// An event is something that happens on a host.
type event func(*host) error

// startHost returns a host. The events happen in order once the group is bound.
func startHost(events ...event) *host {
	ns, err := netns.New()
	check(err)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(group, "ssh ", nftrules.TCPPort(22), nftrules.Drop())
	output.Log(group, "dns ", nftrules.UDPPort(53), nftrules.Drop())
	check(rs.Apply())

	h := &host{ns: ns, ended: make(chan struct{})}
	runtime.LockOSThread()
	h.home, err = os.Open("/proc/thread-self/ns/net")
	check(err)
	check(unix.Setns(ns.FD(), unix.CLONE_NEWNET))
	go func() {
		defer close(h.ended)
		if len(events) > 0 {
			h.awaitReader()
		}
		for _, e := range events {
			h.send(e)
		}
	}()
	return h
}

// stop waits for the events and removes the host.
func (h *host) stop() {
	<-h.ended
	check(unix.Setns(int(h.home.Fd()), unix.CLONE_NEWNET))
	runtime.UnlockOSThread()
	check(h.home.Close())
	check(h.ns.Close())
}

// path returns the path of the host's network namespace.
func (h *host) path() string { return h.ns.Path() }

// send makes an event happen.
func (h *host) send(e event) { check(e(h)) }

// dns and ssh send packets to the ports of DNS and SSH on the host's loopback interface.
func dns(packets int) event {
	return func(h *host) error {
		return traffic.UDP(h.ns, netip.MustParseAddrPort("127.0.0.1:53"), packets, 20)
	}
}

func ssh(packets int) event {
	return func(h *host) error {
		return traffic.SYN(h.ns, netip.MustParseAddrPort("127.0.0.1:22"), packets)
	}
}

// interrupt sends the signal of Ctrl-C to the program.
func interrupt(*host) error { return syscall.Kill(os.Getpid(), syscall.SIGINT) }

// awaitReader waits until the group is bound.
func (h *host) awaitReader() {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		port, _, err := groupReader(h.ns)
		check(err)
		if port != 0 {
			return
		}
		if time.Now().After(deadline) {
			panic("no reader of the example's group")
		}
	}
}

// check ends a failed example. An example has no other way to fail.
func check(err error) {
	if err != nil {
		panic(fmt.Sprintf("failed to run the example's host: %v", err))
	}
}
