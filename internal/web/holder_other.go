// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package web

import "net"

// portHolder returns "": it only knows Linux.
func portHolder(*net.TCPAddr) string { return "" }
