// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command permit sets the file capability of a program like `setcap cap_net_admin+p`. It is for images with Go but without
// setcap(8), in which the exporter is built.
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
