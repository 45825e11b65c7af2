// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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

	packets := make(map[string]int)
	for batch, err := range r.Batches(ctx) {
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

// Print packets like tcpdump, until Ctrl-C.
func ExamplePacket_Network() {
	defer startHost(ssh(1), dns(2), interrupt).stop() // where this example runs

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()

	for batch, err := range r.Batches(ctx) {
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
			fmt.Printf("%v %s %sout=%s", o.Family, o.HookName(), o.Prefix, name)

			// The header is borrowed, and only the copied part of the packet.
			n := p.Network()
			if ip := n.Header; n.EtherType == 0x0800 && len(ip) >= 20 {
				from, to := netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
				fmt.Printf(" %v > %v protocol %d", from, to, ip[9])
			}
			fmt.Printf(" length %d\n", n.Length)
		}
	}

	// Output:
	// ip output ssh out=lo 127.0.0.1 > 127.0.0.1 protocol 6 length 60
	// ip output dns out=lo 127.0.0.1 > 127.0.0.1 protocol 17 length 48
	// ip output dns out=lo 127.0.0.1 > 127.0.0.1 protocol 17 length 48
}

// Keep packets beyond the next batch.
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

	var kept []nflog.Attribute
	for batch, err := range r.Batches(ctx) { // each batch overwrites the previous one
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
func ExampleReader_Stats() {
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
		stats := r.Stats()
		if stats.Socket.Drops > 0 && !dropped {
			dropped = true
			fmt.Println("The socket buffer is full. Packets lost so far:", batch.Lost())
		}

		// Lost counts the packets exactly, when a packet is received that was logged after them.
		if batch.Lost() > 0 {
			fmt.Println("Packets were lost. All are accounted for:", stats.Packets+stats.Lost == uint64(number)+1)
			break
		}
	}

	// Output:
	// The socket buffer is full. Packets lost so far: 0
	// Packets were lost. All are accounted for: true
}

// Stop without loss: the loop gets what the kernel has gathered before it ends.
func ExampleReader_Batches() {
	host := startHost() // where this example runs
	defer host.stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{QueueTimeout: time.Hour})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(context.Background())

	host.send(dns(5)) // the kernel holds them for an hour
	cancel()          // here before the loop; usually elsewhere

	for batch, err := range r.Batches(ctx) {
		if err != nil {
			log.Println(err)
			return
		}
		for range batch.Packets() {
		}
	}
	stats := r.Stats()
	fmt.Println(stats.Packets, "packets,", stats.Lost, "lost")

	// Output: 5 packets, 0 lost
}

// Do something else every second, also while packets come.
func ExampleReader_SetDeadline() {
	host := startHost() // where this example runs
	defer host.stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{QueueTimeout: 10 * time.Millisecond})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	host.send(dns(5))

	for range 2 {
		if err := r.SetDeadline(time.Now().Add(time.Second)); err != nil {
			log.Println(err)
			return
		}
		for {
			batch, err := r.Receive()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				log.Println(err)
				return
			}
			for range batch.Packets() {
			}
		}
		fmt.Println(r.Stats().Packets, "packets")
	}

	// Output:
	// 5 packets
	// 5 packets
}

// Write packets to a file that tcpdump and Wireshark read. tools/nflogdump does this with filters.
func ExamplePacket_Bytes() {
	host := startHost() // where this example runs
	defer host.stop()

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{CopyRange: nflog.MaxCopyRange})
	if err != nil {
		log.Println(err)
		return
	}
	defer r.Close()
	host.send(dns(1))

	// pcap-savefile(5), in the machine's byte order.
	order := binary.NativeEndian
	file := order.AppendUint32(nil, 0xa1b2c3d4)
	file = order.AppendUint16(file, 2) // version 2.4
	file = order.AppendUint16(file, 4)
	file = order.AppendUint64(file, 0)
	file = order.AppendUint32(file, 1<<18) // longest packet
	file = order.AppendUint32(file, 239)   // LINKTYPE_NFLOG
	batch, err := r.Receive()
	if err != nil {
		log.Println(err)
		return
	}
	for p := range batch.Packets() {
		file = order.AppendUint32(file, uint32(time.Now().Unix())) // this hook has no Timestamp
		file = order.AppendUint32(file, 0)
		file = order.AppendUint32(file, uint32(len(p.Bytes())))
		file = order.AppendUint32(file, uint32(len(p.Bytes())))
		file = append(file, p.Bytes()...)
	}
	fmt.Println(bytes.Contains(file, []byte("dns ")))

	// Output: true
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
