// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package nflog reads the packets that Linux firewalls log, over netlink and without C.
//
// A rule such as nft's "log group 100" or iptables' "-j NFLOG --nflog-group 100" sends a copy of
// each packet that it matches to a numbered group of its network namespace. One socket at a time
// reads a group: [OpenReader] binds it, and [Reader.Receive] takes its packets, batch by batch,
// into memory that is used again.
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
// # Batches and lag
//
// The kernel gathers the packets of a group until they fill a buffer, reach a number, or the first
// of them has waited for some time: BatchBuffer, QueueThreshold and QueueTimeout of
// [ReaderConfig]. Large batches cost the logging host least; the price is a lag.
//
// # Loss
//
// The kernel numbers the packets of a group as it logs them. A gap in the numbers shows exactly how
// many were lost because the socket's buffer was full when their batch was delivered: loss is a
// count ([Stats], [Batch.Lost]), not an error. What is lost after the last packet received shows
// with the next one; until then, [SocketStats] tells of it in datagrams.
//
// # Privileges
//
// To bind a group takes the capability CAP_NET_ADMIN in the user namespace that owns the network
// namespace. To read a group that is bound takes none.
package nflog
