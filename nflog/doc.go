// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nflog reads the packets that Linux firewalls log, over netlink and without C.
//
//	r, err := nflog.OpenReader(100, nflog.ReaderConfig{})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	for batch, err := range r.Batches(ctx) {
//		if err != nil {
//			return err
//		}
//		for p := range batch.Packets() {
//			o := p.Origin()
//			fmt.Printf("%v %s %s%x\n", o.Family, o.HookName(), o.Prefix, p.Network().Header)
//		}
//	}
//
// When the context is done, the loop gets what was logged until then, and ends without an error. tools/nflogdump is a
// whole program.
//
// The package is for Linux. On other systems it compiles, but opening a reader fails with [ErrUnsupported].
//
// # Groups
//
// A firewall rule sends a copy of each matching packet to a numbered group of its network namespace, 0 to
// 65535. A prefix says which rule it was:
//
//	nft:       log group 100 prefix "fw input drop "
//	iptables:  -j NFLOG --nflog-group 100 --nflog-prefix "fw input drop "
//	ebtables:  --nflog-group 100 --nflog-prefix "fw bridge "
//
// Any number of rules may log to a group. A packet is logged once per rule that matches it. Only one socket at
// a time reads a group. Don't use group 0: iptables rules without a group log there, and so does the kernel
// itself if configured to.
//
// There are two ways to read:
//
//   - [OpenReader] is the fast one. The caller takes batches of packets from memory that is reused: a [Packet]
//     is valid until the next batch. Nothing is allocated per packet, and losses are counted.
//   - [Open] is for programs written for go-nflog. A hook gets each packet as an [Attribute], which it may
//     keep. See "Replacing go-nflog" below.
//
// # Packets
//
// A packet has an [Origin], the place where it was logged. It may also have a mark, an owner, a time, a link
// layer header, a VLAN tag, and on request its connection. The payload is the beginning of the packet: 128
// bytes, which hold almost all headers. To copy more or less, set CopyRange or NoPayload of [ReaderConfig],
// or the copy mode of [Config]: [CopyPacket] with Bufsize, or [CopyMeta]. A rule may request less (nft's
// snaplen, iptables' --nflog-size).
//
// The length of the packet is only in its own header: [Packet.Network] finds that and reads it. If the network card or the kernel has merged several packets (GRO, GSO), they pass the rules as one
// packet and are logged as one.
//
// # Batches and lag
//
// The kernel gathers the packets of a group and delivers them as one datagram, a [Batch], when
//
//   - they fill its buffer. BatchBuffer is 128 KiB by default. The kernel makes it 256 KiB, enough for some
//     1,000 packets.
//   - QueueThreshold packets were gathered. The default is as many as the buffer holds.
//   - the first packet has waited for QueueTimeout, by default 500 ms.
//   - the rule that logged the last packet has a threshold, and that many packets were gathered (nft's
//     queue-threshold, iptables' --nflog-threshold). Don't set it in rules: with 1, each packet is a datagram
//     of its own. That costs the host twice as much, and takes four times the memory.
//
// So a packet lags by up to QueueTimeout. On a busy group it lags by up to 20 ms more: [Reader.Receive] leaves
// an empty socket alone for that long, because a wake-up costs more than reading. [Open] does not pause, and
// its default timeout is a tenth of a second.
//
// # Loss and buffer sizes
//
// A batch is lost if the socket's receive buffer is full when it comes. The kernel numbers the packets of the
// group, so a gap shows how many were lost. Loss is not an error, but a count: see [Stats] and [Batch.Lost].
// Packets received plus packets lost is exactly the number of packets logged to the group, without
//
//   - packets lost after the last packet received: they show with the next one. Until then, [Reader.Stats]
//     shows how many datagrams the socket has dropped.
//   - packets logged while the group was not bound.
//   - packets for which the kernel had no memory.
//   - packets that the kernel had gathered when the reader was closed. [Reader.Batches] gets them before, and so does
//     [Reader.Unbind].
//
// With 128 bytes copied, a packet takes 200 to 260 bytes of the receive buffer in a batch, and 832 alone. The
// kernel doubles the size that is requested. To hold the packets of some seconds, use
//
//	SocketBuffer = packets per second × bytes per packet × seconds / 2
//
// The default of 16 MiB holds 130,000 packets of 256 bytes: an eighth of a second at a million packets per
// second, 13 seconds at 10,000. The kernel uses the memory only while packets wait. To exceed the sysctl
// net.core.rmem_max, the process needs CAP_NET_ADMIN in the initial user namespace. [Reader.Stats] returns the
// actual size.
//
// The kernel logs the packets of a group under a lock, 1 to 1.5 million per second. To log more, spread the
// packets over several groups, each with its own reader.
//
// # Privileges
//
// Binding a group needs the capability CAP_NET_ADMIN in the user namespace that owns the network namespace.
// Root of a container with its own user namespace has it for the container's own network namespace, but not
// for the host's. Reading needs no capability. A program may drop it once the group is bound, but then
// [Reader.Unbind] does not work, nor the end of [Reader.Batches].
//
// The safest installation is setcap cap_net_admin+p: permitted, not effective. The package makes the
// capability effective for the calling thread, only during the calls that need it.
//
// The kernel returns the same errno for a missing capability and for a group that another socket holds. This
// package finds out which it is: see [PermissionError] and [GroupHeldError].
//
// # Network namespaces
//
// NetNS selects the namespace to read in. Entering it needs CAP_SYS_ADMIN, both in the user namespace that
// owns it and in the process's own. A reader stays in its namespace, on whatever thread it is used. Interface
// indexes are those of that namespace.
//
// An open reader keeps its namespace alive, with everything in it: after "ip netns delete", no packets come
// any more. A program that reads namespaces that come and go must close their readers.
//
// # Replacing go-nflog
//
// A program for github.com/florianl/go-nflog/v2 only needs another import. Everything that v2.1.0 to v2.3.0
// export is here, with the same names and types. These things behave differently:
//
//	                    go-nflog                                here
//	Hook                v2.1.0: always 0                        the number of the hook
//	VLAN                Proto and TCI with bytes swapped        in the right order
//	family ARP          dropped                                 read
//	family netdev       dropped, or without prefix and hook     read
//	short attribute     panic                                   message skipped and logged
//	Flags 5, 6, 7       ErrUnknownFlag                          accepted
//	set-up              several requests; fails if packets      one request; packets that come early
//	                    come between them                       reach the hook
//	PF_BIND, PF_UNBIND  sent, twice with GenericGroup           not sent: no kernel needs them
//	socket buffer       the kernel's default                    16 MiB, or as much as permitted
//	batches             3776 bytes, whatever QThresh is         up to 256 KiB
//	QThresh 0           100 packets, the kernel's default       as many as a batch holds
//	Timeout 0           a second, the kernel's default          a tenth of a second
//	errors of Register  most are only text; refused flags       can be matched with errors.Is, also by
//	                    are a *netlink.OpError                  errno; what the kernel refused wraps a
//	                                                            *netlink.OpError, but for a held group
//	group held          text with "operation not permitted"     a GroupHeldError, which is EPERM and has
//	                                                            this text
//	flags refused       the group stays bound until Close       nothing is bound
//	after Close         text, or EBADF                          ErrClosed
//	context is done     the hook gets the rest of the           the hook is not called again; the
//	                    datagram, then the group is free; may   group is free at once; calls errfn;
//	                    call errfn; logs errors                 logs nothing
//	hook returns 1      a goroutine stays until the context     all goroutines end
//	                    is done
//	Close               waits until the context is done, and    waits until the hook returns; calls
//	                    calls errfn repeatedly; the hook may    errfn once, with ErrClosed, or with a
//	                    still run                               timeout if the context was done before
//	Close in the hook   waits until the context is done (not    does not wait
//	                    yet released: for ever)
//	Register again      fails once a context was done           works; EBUSY while a hook is registered
//	other groups        bound by Con.Execute reach the hook     are skipped
//	port                usually the PID                         a random number from 2³¹ on
//
// The Attributes that a hook gets are allocated for several packets at a time.
package nflog
