// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nflog reads the packets that Linux firewalls log, over netlink and without C.
//
//	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	for {
//		batch, err := r.Receive()
//		if err != nil {
//			return err
//		}
//		for p := range batch.Packets() {
//			fmt.Printf("%s%x\n", p.Origin().Prefix, p.Payload())
//		}
//	}
//
// It is for Linux. Elsewhere it compiles, and to open a reader fails with [ErrUnsupported].
//
// # Groups
//
// A rule of the firewall sends a copy of each packet that it matches to a numbered group of its
// network namespace, 0 to 65535, with a prefix that tells which rule it was:
//
//	nft:       log group 100 prefix "fw input drop "
//	iptables:  -j NFLOG --nflog-group 100 --nflog-prefix "fw input drop "
//	ebtables:  --nflog-group 100 --nflog-prefix "fw bridge "
//
// Any number of rules may log to a group, and a packet is logged once for each rule that matches it.
// One socket at a time reads a group. Leave group 0 to others: rules of iptables log there that name no
// group, and the kernel itself where it is told to.
//
// There are two ways to read:
//
//   - [OpenReader] is the fast one. The caller takes batches of packets out of memory that is used
//     again: a [Packet] is borrowed until the next [Reader.Receive]. Nothing is allocated, and what is
//     lost is counted.
//   - [Open] is for programs that are written for go-nflog. A hook gets each packet, as an [Attribute]
//     that is its own to keep. See "In place of go-nflog" below.
//
// # What a packet tells
//
// The kernel tells of each packet where it was logged, which is its [Origin], and what else it knows:
// mark, owner, time, link layer header, VLAN tag, each only where there is one, and the connection where
// it is asked for. After that comes the beginning of the packet: 128 bytes, which hold the headers of
// nearly all. CopyRange of [ReaderConfig] asks for another number, NoPayload for none; in [Config] that
// is the copy mode, [CopyPacket] with Bufsize or [CopyMeta]. A rule may ask for less (nft's snaplen,
// iptables' --nflog-size).
//
// How long the packet was, only its own header says: IPv4's total length, IPv6's payload length and 40
// more. What the network card or the kernel has put together of several packets (GRO, GSO) passes the
// rules as one packet, and is logged as one.
//
// # Batches and lag
//
// The kernel gathers the packets of a group, and delivers them as one datagram, a [Batch], when
//
//   - they fill its buffer: BatchBuffer, by default 128 KiB, of which the kernel makes 256 KiB, room
//     for some 1,000 packets;
//   - there are QueueThreshold of them, by default as many as the buffer holds;
//   - the first has waited for QueueTimeout, by default 500 ms;
//   - there are as many as a threshold of the rule that logged the last one (nft's queue-threshold,
//     iptables' --nflog-threshold). Leave it out of rules: with 1, each packet is a datagram of its
//     own, which costs the host twice as much, and takes four times the memory.
//
// So a packet lags by up to QueueTimeout, and by 20 ms more where many come: then [Reader.Receive]
// leaves the socket alone for so long once it is empty, because to be woken costs more than to read.
// [Open] has no such pause, and a tenth of a second for a default.
//
// # Loss, and the size of buffers
//
// A batch that comes while the socket's receive buffer is full is lost. As the kernel has numbered the
// packets of the group, a gap tells how many: loss is not an error, but a count ([Stats], [Batch.Lost]).
// Packets received and packets lost are together those that were logged to the group, exactly. Not among
// them are
//
//   - what was lost after the last packet received: it shows with the next one. Until then,
//     [SocketStats] tells how many datagrams were dropped;
//   - what was logged while the group was not bound;
//   - what the kernel had no memory for;
//   - what it had gathered when the reader was closed, unless [Reader.Unbind] made it deliver that.
//
// With 128 bytes copied, a packet takes 200 to 260 bytes of the buffer in a batch, and 832 alone; the
// kernel doubles the size that it is asked for. To hold what comes in some time takes
//
//	SocketBuffer = packets per second × bytes per packet × seconds / 2
//
// The default of 16 MiB holds 130,000 packets of 256 bytes: an eighth of a second at a million a second,
// 13 seconds at 10,000. It is memory of the kernel, taken only while packets wait. For more than the
// sysctl net.core.rmem_max allows, the process needs CAP_NET_ADMIN in the initial user namespace;
// [Reader.SocketStats] tells what it has got.
//
// The kernel logs the packets of a group under a lock, one to one and a half million a second. Who logs
// more than that spreads it over several groups, each with a reader of its own.
//
// # Privileges
//
// To bind a group takes the capability CAP_NET_ADMIN in the user namespace that owns the network
// namespace. Root of a container with a user namespace of its own has that for the container's own
// network namespace, but not for the host's. To read takes none, so it may be dropped once the group is
// bound, at the price of [Reader.Unbind].
//
// It is enough that the capability is permitted to the thread that calls: where it is not in effect, it is made so for
// each call that needs it, and no longer. So a program is least tempting whose file has it permitted alone
// (setcap cap_net_admin+p).
//
// The kernel gives one and the same errno where the capability is missing and where another socket
// holds the group. This package asks it again, and tells: [PermissionError], [GroupHeldError].
//
// # Network namespaces
//
// NetNS names the namespace to read in. To enter it takes CAP_SYS_ADMIN, both in the user namespace
// that owns it and in the process's own. A reader stays where it was opened, whatever thread it is used
// from, and interfaces have the indexes of that namespace.
//
// An open reader keeps its namespace, with all that is in it, alive: after "ip netns delete" it is just
// silent. Who reads namespaces that come and go has to see to it that the readers are closed.
//
// # In place of go-nflog
//
// A program for github.com/florianl/go-nflog/v2 takes this package by its import alone: all that
// v2.1.0 to v2.3.0 export is here, by the same names and types. It behaves the same, but for:
//
//	                    go-nflog                                here
//	Hook                v2.1.0: always 0                        the number of the hook
//	VLAN                Proto and TCI with bytes swapped        in the right order
//	family ARP          dropped                                 read
//	family netdev       dropped, or without prefix and hook     read
//	short attribute     panic                                   message skipped, told to the Logger
//	Flags 5, 6, 7       ErrUnknownFlag                          accepted
//	set-up              several requests; fails if packets      one request; packets that come early
//	                    come between them                       reach the hook
//	PF_BIND, PF_UNBIND  sent, twice with GenericGroup           not sent: no kernel needs them
//	socket buffer       the kernel's default                    16 MiB, as far as permitted
//	batches             3776 bytes, whatever QThresh is         up to 256 KiB
//	QThresh 0           100 packets, the kernel's default       as many as a batch holds
//	Timeout 0           a second, the kernel's default          a tenth of a second
//	errors              most are text alone                     can be matched with errors.Is
//	context ends        the hook gets the datagram's rest; the  the hook is not called again; the
//	                    group is free then; errfn is told, or   group is free at once; errfn is told;
//	                    not; errors are logged                  nothing is logged
//	hook returns 1      a goroutine stays until the context     all goroutines end
//	                    ends
//	Close               waits until the context ends, and       returns at once; errfn is told once,
//	                    errfn is called again and again         ErrClosed
//	Register again      fails once a context has ended          works; EBUSY while a hook is registered
//	other groups        bound by Con.Execute reach the hook     are skipped
//	port                the PID, as a rule                      a random number from 2³¹ on
//
// The memory of what a hook gets is allocated for several packets at a time.
package nflog
