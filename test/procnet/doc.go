// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package procnet reads from /proc how much of an NFLOG group still waits in the kernel, and for which socket.
//
// The package is for Linux only.
package procnet
