// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "demo: NFLOG and network namespaces need Linux")
	os.Exit(1)
}
