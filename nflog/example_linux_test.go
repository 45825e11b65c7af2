// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Count the packets of group 100 by the prefix of the rule that logged them, until Ctrl-C.
func Example() {
	defer startHost(ssh(2), dns(3), interrupt).stop() // where this example runs

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	context.AfterFunc(ctx, func() { r.Unbind() })

	packets := make(map[string]int)
	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) { // everything logged before Unbind was received
			break
		}
		if err != nil {
			log.Println(err)
			return
		}
		for p := range batch.Packets() {
			packets[p.Origin().Prefix]++
		}
	}
	fmt.Println(packets, "and", r.Stats().Lost, "lost")

	// Output: map[dns :3 ssh :2] and 0 lost
}

// Print packets like tcpdump.
func ExampleReader_Receive() {
	defer startHost(ssh(1), dns(2), interrupt).stop() // where this example runs

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	context.AfterFunc(ctx, func() { r.Unbind() })

	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Println(err)
			return
		}
		for p := range batch.Packets() {
			o := p.Origin()
			name := ""
			if device, err := net.InterfaceByIndex(int(o.OutDev)); err == nil {
				name = device.Name
			}
			fmt.Printf("%sout=%s", o.Prefix, name)

			// The payload is borrowed, and only the copied part of the packet.
			if ip := p.Payload(); o.HWProtocol == 0x0800 && len(ip) >= 20 {
				from, to := netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
				fmt.Printf(" %v > %v protocol %d", from, to, ip[9])
			}
			fmt.Println()
		}
	}

	// Output:
	// ssh out=lo 127.0.0.1 > 127.0.0.1 protocol 6
	// dns out=lo 127.0.0.1 > 127.0.0.1 protocol 17
	// dns out=lo 127.0.0.1 > 127.0.0.1 protocol 17
}

// Keep packets beyond the next Receive.
func ExamplePacket_Attribute() {
	defer startHost(ssh(1), dns(2), interrupt).stop() // where this example runs

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	context.AfterFunc(ctx, func() { r.Unbind() })

	var kept []nflog.Attribute
	for {
		batch, err := r.Receive() // overwrites the previous packets
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Println(err)
			return
		}
		for p := range batch.Packets() {
			kept = append(kept, p.Attribute())
		}
	}
	for _, a := range kept {
		fmt.Printf("%s%d bytes\n", *a.Prefix, len(*a.Payload))
	}

	// Output:
	// ssh 60 bytes
	// dns 48 bytes
	// dns 48 bytes
}

// Read a group of another network namespace, for example of a container.
func ExampleOpenReader_netns() {
	host := startHost() // where this example runs
	defer host.stop()
	path := host.path() // for example /run/netns/blue or /proc/PID/ns/net

	netns, err := os.Open(path)
	if err != nil {
		log.Println(err)
		return
	}
	r, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: int(netns.Fd())})
	netns.Close() // the reader does not need it any more
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close() // the namespace exists at least until then

	host.send(dns(1))
	batch, err := r.Receive()
	if err != nil {
		log.Println(err)
		return
	}
	for p := range batch.Packets() {
		fmt.Println(p.Origin().Prefix)
	}

	// Output: dns
}

// Detect lost packets. Here they are lost because 100 packets are logged per packet received.
func ExampleReader_SocketStats() {
	host := startHost() // where this example runs
	defer host.stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{
		SocketBuffer:   64 << 10, // small
		QueueThreshold: 1,        // one packet per datagram
	})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()

	var dropped bool
	for {
		host.send(dns(100))
		batch, err := r.Receive()
		if err != nil {
			log.Println(err)
			return
		}
		var number uint32
		for p := range batch.Packets() {
			number, _ = p.Seq()
		}

		// Drops counts the dropped datagrams immediately.
		socket, err := r.SocketStats()
		if err != nil {
			log.Println(err)
			return
		}
		if socket.Drops > 0 && !dropped {
			dropped = true
			fmt.Println("The socket buffer is full. Packets lost so far:", batch.Lost())
		}

		// Lost counts the packets exactly, when a packet is received that was logged after them.
		if batch.Lost() > 0 {
			stats := r.Stats()
			fmt.Println("Packets were lost. All are accounted for:", stats.Packets+stats.Lost == uint64(number)+1)
			break
		}
	}

	// Output:
	// The socket buffer is full. Packets lost so far: 0
	// Packets were lost. All are accounted for: true
}

// Stop without loss: receive what the kernel has gathered before closing the reader.
func ExampleReader_Unbind() {
	host := startHost() // where this example runs
	defer host.stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{QueueTimeout: time.Hour})
	if err != nil {
		log.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(ctx, func() { r.Unbind() })

	host.send(dns(5)) // the kernel holds them for an hour
	cancel()

	for {
		batch, err := r.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Println(err)
			return
		}
		for range batch.Packets() {
		}
	}
	if err := r.Close(); err != nil {
		log.Println(err)
		return
	}
	fmt.Println(r.Stats().Packets, "packets,", r.Stats().Lost, "lost")

	// Output: 5 packets, 0 lost
}

// Find out who reads a group.
func ExampleGroupHeldError() {
	defer startHost().stop() // where this example runs

	other, err := nflog.OpenReader(100, nflog.ReaderConfig{})
	if err != nil {
		log.Println(err)
		return
	}
	defer other.Close()

	_, err = nflog.OpenReader(100, nflog.ReaderConfig{})
	if held, ok := errors.AsType[*nflog.GroupHeldError](err); ok {
		fmt.Println("group", held.Group, "is read by this process:", held.PID == os.Getpid())
	}

	// Output: group 100 is read by this process: true
}
