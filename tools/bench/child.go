// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// stopTimeout is how long a process may take to end after SIGTERM.
const stopTimeout = 5 * time.Second

// child is a process in the namespace of a measurement, on one CPU.
type child struct {
	name   string
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer

	// done is closed when the process has ended; err, stdout and stderr may
	// be read from then on.
	done chan struct{}
	err  error
}

// startChild starts command in ns on cpu.
func startChild(ns *netns.NS, cpu int, command []string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{commandPinned, strconv.Itoa(cpu)}, command...)
	c := &child{name: command[0], cmd: exec.Command(self, args...), done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	// What a child may have left behind must not keep Wait from returning.
	c.cmd.WaitDelay = time.Second
	c.cmd.SysProcAttr = &syscall.SysProcAttr{
		// Spares a child the terminal's SIGINT: this program ends it, and in its order.
		Setpgid: true,
		// Ends a child even if this program is killed.
		Pdeathsig: syscall.SIGKILL,
	}
	if err := ns.Start(c.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// runPinned becomes another program, on one CPU: args are the CPU and the
// program's command line. A Go program sizes GOMAXPROCS by the CPUs that it
// starts with, so binding it afterwards would measure something else.
func runPinned(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: bench %s CPU COMMAND [ARG ...]", commandPinned)
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	// The thread that calls execve is the one that remains.
	runtime.LockOSThread()
	if err := bindThread(cpu); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", args[1], unix.Exec(args[1], args[1:], os.Environ()))
}

// pid returns the process's id.
func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the process, unless it has ended, and waits until it has.
func (c *child) stop() error {
	// An error of Signal says that there is nobody left to tell.
	_ = c.cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-c.done:
		return nil
	case <-time.After(stopTimeout):
	}
	_ = c.cmd.Process.Kill()
	<-c.done
	return fmt.Errorf("%s had to be killed: it did not end within %v of SIGTERM", c.name, stopTimeout)
}

// failure tells why a process ended that should not have. It may be called
// once done is closed.
func (c *child) failure() error {
	lines := strings.Split(strings.TrimSpace(c.stderr.String()), "\n")
	last := lines[len(lines)-1]
	if last == "" {
		last = "it printed no error"
	}
	return fmt.Errorf("%s ended (%v): %s", c.name, c.cmd.ProcessState, last)
}
