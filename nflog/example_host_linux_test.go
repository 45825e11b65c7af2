// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// A host is what the examples run on: a network namespace, which the example's goroutine is in, whose
// firewall logs SSH and DNS to group 100, with the prefixes "ssh " and "dns ".
type host struct {
	ns    *netns.NS
	home  *os.File // the namespace that the goroutine came from
	ended chan struct{}
}

// An event is something that happens on a host.
type event func(*host) error

// startHost returns a host on which the events happen, one after the other, once the group is bound.
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
		for _, happens := range events {
			h.send(happens)
		}
	}()
	return h
}

// stop leaves the host when all has happened.
func (h *host) stop() {
	<-h.ended
	check(unix.Setns(int(h.home.Fd()), unix.CLONE_NEWNET))
	runtime.UnlockOSThread()
	check(h.home.Close())
	check(h.ns.Close())
}

// path returns a path of the host's network namespace, such as /run/netns/NAME.
func (h *host) path() string { return h.ns.Path() }

// send makes an event happen.
func (h *host) send(happens event) { check(happens(h)) }

// dns and ssh send so many packets to their ports on the host's loopback interface.
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

// interrupt stops the program, as Ctrl-C does.
func interrupt(*host) error { return syscall.Kill(os.Getpid(), syscall.SIGINT) }

// awaitReader waits until the group is bound.
func (h *host) awaitReader() {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var readers []byte
		check(h.ns.Do(func() (err error) {
			readers, err = os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_log")
			return err
		}))
		if fields := bytes.Fields(readers); len(fields) > 0 && string(fields[0]) == strconv.Itoa(group) {
			return
		}
		if time.Now().After(deadline) {
			panic("nobody reads the group of the example")
		}
	}
}

// check ends an example that has failed: it has no other means to.
func check(err error) {
	if err != nil {
		panic(fmt.Sprintf("the example's host has failed: %v", err))
	}
}
