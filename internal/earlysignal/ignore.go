// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package earlysignal ignores, from the first moment of the program, the signals that must never end it. Import it for this
// effect.
//
// The function main runs after all packages are initialized, which takes some milliseconds. Until then, Go's runtime lets
// SIGHUP end the process. This package imports next to nothing, and so is initialized among the first.
package earlysignal

import (
	"os/signal"
	"syscall"
)

// The function main has SIGHUP reload the configuration file. One that came before is not missed, because the file is read
// later.
//
// With SIGPIPE ignored, a write to a pipe that nobody reads any more fails. Go's runtime would end the process if it is
// standard output or standard error.
func init() { //nolint:gochecknoinits // it must run before main
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
}
