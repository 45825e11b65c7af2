// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// stageVar is the environment variable with the stage of a process that the demo
// starts.
const stageVar = "NFLOG_DEMO_STAGE"

// The stages after the first one.
const (
	stageNetwork  = "network"  // makes namespaces and traffic
	stageExporter = "exporter" // becomes the exporter
)

// inheritedFD is the descriptor of the listening socket in the processes that the
// demo starts: the first after standard error, as in socket activation.
const inheritedFD = 3

// errReported is an error that another process has already printed.
var errReported = errors.New("reported")

func main() {
	err := run()
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintf(os.Stderr, "demo: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if err != nil {
		os.Exit(1)
	}
}

// run runs the stage of this process.
func run() error {
	exporter := flag.String("exporter", "", "path of the nflog_exporter binary")
	listen := flag.String("listen", "127.0.0.1:10100", "address to serve /metrics on")
	flag.Parse()

	stage := os.Getenv(stageVar)
	if stage == stageExporter {
		return becomeExporter(*exporter, flag.Args())
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if stage == stageNetwork {
		return runNetwork(ctx, os.NewFile(inheritedFD, "socket"))
	}
	return runUser(ctx, *exporter, *listen)
}

// runUser is the first stage: it checks the arguments and opens the socket.
func runUser(ctx context.Context, exporter, listen string) error {
	if err := endWithParent(); err != nil {
		return err
	}
	if _, err := exec.LookPath(exporter); err != nil {
		return fmt.Errorf("no exporter: %w: build it, and give its path with -exporter", err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address with -listen, or: make demo LISTEN=127.0.0.1:10101", err)
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return fmt.Errorf("share socket: %w", err)
	}
	defer socket.Close()
	// Only the copy is needed. The port is free when the last descriptor is closed.
	if err := listener.Close(); err != nil {
		return fmt.Errorf("share socket: %w", err)
	}
	if netns.Privileged() {
		return runNetwork(ctx, socket)
	}
	return runInUserNS(ctx, socket)
}

// endWithParent makes the kernel send SIGTERM to this process when its parent ends:
// `go run` does not forward signals.
func endWithParent() error {
	parent := os.Getppid()
	result := make(chan error)
	go func() {
		// The setting belongs to the thread, so this one must not end.
		runtime.LockOSThread()
		result <- unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
		select {}
	}()
	if err := <-result; err != nil {
		return fmt.Errorf("tie to parent process: %w", err)
	}
	if os.Getppid() != parent {
		return errors.New("the process that started the demo has ended")
	}
	return nil
}
