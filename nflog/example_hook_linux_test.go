// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Print packets with a program written for go-nflog. Only its import is changed.
func ExampleNflog_RegisterWithErrorFunc() {
	defer startHost(ssh(1), dns(2)).stop() // where this example runs

	nf, err := nflog.Open(&nflog.Config{Group: 100, Copymode: nflog.CopyPacket, Bufsize: 128})
	if err != nil {
		log.Println(err)
		return
	}
	defer nf.Close()

	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()

	packets := 0
	hook := func(a nflog.Attribute) int {
		fmt.Printf("%s%d bytes\n", *a.Prefix, len(*a.Payload))
		if packets++; packets == 3 {
			stop()
		}
		return 0
	}
	errfn := func(err error) int {
		if ctx.Err() == nil {
			log.Println(err)
		}
		return 0
	}
	if err := nf.RegisterWithErrorFunc(ctx, hook, errfn); err != nil {
		log.Println(err)
		return
	}
	<-ctx.Done()

	// Output:
	// ssh 60 bytes
	// dns 48 bytes
	// dns 48 bytes
}

// Count packets by the prefix of the rule that logged them. The hook runs in its own goroutine.
func ExampleNflog_RegisterWithErrorFunc_count() {
	defer startHost(ssh(2), dns(3)).stop() // where this example runs

	nf, err := nflog.Open(&nflog.Config{Group: 100})
	if err != nil {
		log.Println(err)
		return
	}
	defer nf.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	var mu sync.Mutex
	packets := make(map[string]int)
	hook := func(a nflog.Attribute) int {
		mu.Lock()
		defer mu.Unlock()
		packets[*a.Prefix]++
		if packets["ssh "]+packets["dns "] == 5 {
			stop()
		}
		return 0
	}
	errfn := func(error) int { return 0 }
	if err := nf.RegisterWithErrorFunc(ctx, hook, errfn); err != nil {
		log.Println(err)
		return
	}
	<-ctx.Done()
	mu.Lock()
	defer mu.Unlock()
	fmt.Println(packets)

	// Output: map[dns :3 ssh :2]
}

// Read a group of another network namespace, for example of a container.
func ExampleOpen_netns() {
	host := startHost() // where this example runs
	defer host.stop()
	path := host.path() // for example /run/netns/blue or /proc/PID/ns/net

	netns, err := os.Open(path)
	if err != nil {
		log.Println(err)
		return
	}
	nf, err := nflog.Open(&nflog.Config{NetNS: int(netns.Fd()), Group: 100})
	netns.Close() // it is not needed any more
	if err != nil {
		log.Println(err)
		return
	}
	defer nf.Close() // the namespace exists at least until then

	prefixes := make(chan string)
	hook := func(a nflog.Attribute) int {
		prefixes <- *a.Prefix
		return 1 // one packet is enough
	}
	errfn := func(error) int { return 1 }
	if err := nf.RegisterWithErrorFunc(context.Background(), hook, errfn); err != nil {
		log.Println(err)
		return
	}
	host.send(dns(1))
	fmt.Println(<-prefixes)

	// Output: dns
}

// Detect lost packets. Here they are lost because 100 packets are logged while the hook handles one.
func ExampleNflog_RegisterWithErrorFunc_loss() {
	host := startHost() // where this example runs
	defer host.stop()

	nf, err := nflog.Open(&nflog.Config{Group: 100, Flags: nflog.FlagSeq, QThresh: 1})
	if err != nil {
		log.Println(err)
		return
	}
	defer nf.Close()
	if err := nf.Con.SetReadBuffer(64 << 10); err != nil { // small
		log.Println(err)
		return
	}

	lost := make(chan uint32)
	expected := uint32(0)
	hook := func(a nflog.Attribute) int {
		if a.Seq == nil { // the kernel does not number the first few packets
			return 0
		}
		if *a.Seq != expected {
			lost <- *a.Seq - expected
			return 1
		}
		expected++
		host.send(dns(100))
		return 0
	}
	errfn := func(err error) int {
		if errors.Is(err, syscall.ENOBUFS) {
			fmt.Println("The socket buffer is full. The kernel drops packets until it is empty.")
			return 0
		}
		return 1
	}
	if err := nf.RegisterWithErrorFunc(context.Background(), hook, errfn); err != nil {
		log.Println(err)
		return
	}
	host.send(dns(1))
	fmt.Println("Packets were lost:", <-lost > 0)

	// Output:
	// The socket buffer is full. The kernel drops packets until it is empty.
	// Packets were lost: true
}

// Stop, and wait for the last call of the hook.
func ExampleNflog_RegisterWithErrorFunc_stop() {
	defer startHost(dns(3)).stop() // where this example runs

	nf, err := nflog.Open(&nflog.Config{Group: 100})
	if err != nil {
		log.Println(err)
		return
	}
	defer nf.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	packets := 0
	hook := func(nflog.Attribute) int {
		if packets++; packets == 3 {
			cancel() // another goroutine may do that too
		}
		return 0
	}
	ended := make(chan struct{})
	errfn := func(err error) int {
		if ctx.Err() == nil {
			log.Println(err)
			return 0
		}
		// This is the last call. It follows the last call of the hook.
		fmt.Println("The context is done:", errors.Is(err, os.ErrDeadlineExceeded))
		close(ended)
		return 1
	}
	if err := nf.RegisterWithErrorFunc(ctx, hook, errfn); err != nil {
		log.Println(err)
		return
	}
	<-ended
	fmt.Println(packets, "packets")

	// Output:
	// The context is done: true
	// 3 packets
}
