// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo shows nflog_exporter at work on a machine where nothing is set
// up, and without root.
//
//	go run ./tools/demo -exporter PATH [-listen ADDRESS] [-- EXPORTER-FLAGS]
//
// It makes three network namespaces, a client and a server with a router
// between them, installs rules that log in the router, lets the hosts talk, and
// runs the exporter in the router. The socket for /metrics is opened before, so
// that a browser on the machine reaches it.
//
// Up to three processes take part: the one that the user starts opens the
// socket; without root it starts itself again in a user namespace, where it is
// privileged; that one starts itself again in the router's network namespace,
// to become the exporter there. Each is killed when the one before it ends.
package main
