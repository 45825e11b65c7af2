// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package web

import "net"

// hasInput reports whether the client has sent something that is not read yet, where that is known.
func hasInput(net.Conn) bool { return false }
