// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo shows nflog_exporter at work, without any set-up of the machine and
// without root.
//
//	go run ./tools/demo -exporter PATH [-listen ADDRESS] [-- EXPORTER-FLAGS]
//
// It makes three network namespaces: a client, a server and a router between them.
// Rules in the router log packets, client and server send some, and the exporter
// runs in the router. The demo opens the socket for /metrics outside of these
// namespaces, so that a browser on the machine can connect to it.
//
// There are up to three processes. The first, which the user starts, opens the
// socket. Without root, it starts the second: itself in a user namespace, where it is
// privileged. The last is itself again, in the router's network namespace, and
// becomes the exporter. The kernel kills each process when its parent ends.
package main
