// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command permit lets a program have CAP_NET_ADMIN permitted, where there is no setcap(8), as in images to build in.
package main

import (
	"fmt"
	"os"

	"github.com/nflog-exporter/nflog_exporter/tools/filecap"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: permit PROGRAM")
		os.Exit(2)
	}
	if err := filecap.PermitNetAdmin(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
