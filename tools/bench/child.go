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

// stopTimeout is the time that a process gets to end after SIGTERM.
const stopTimeout = 5 * time.Second

// child is a process in the namespace of a measurement, on one CPU.
type child struct {
	name   string
	ns     *netns.NS
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer

	// done is closed when the process has ended. Only then err, stdout and
	// stderr may be read.
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
	c := &child{name: command[0], ns: ns, cmd: exec.Command(self, args...), done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	// Wait returns even if a descendant of the child keeps its output open.
	c.cmd.WaitDelay = time.Second
	c.cmd.SysProcAttr = &syscall.SysProcAttr{
		// The terminal's SIGINT does not reach a child: this program ends it.
		Setpgid: true,
		// A child ends even if this program is killed.
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

// runPinned replaces this process by another program, bound to one CPU: args are
// the CPU and the program's command line. A Go program sets GOMAXPROCS to the
// number of CPUs at its start, so it must be bound before it starts.
func runPinned(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: bench %s CPU COMMAND [ARG ...]", commandPinned)
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	// Only the thread that calls execve remains.
	runtime.LockOSThread()
	if err := bindThread(cpu); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", args[1], unix.Exec(args[1], args[1:], os.Environ()))
}

// pid returns the process's id.
func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the process, unless it has ended, and waits for its end.
func (c *child) stop() error {
	// Signal fails if the process has ended.
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

// failure returns why the process ended. It may be called only after done is
// closed.
func (c *child) failure() error {
	lines := strings.Split(strings.TrimSpace(c.stderr.String()), "\n")
	last := lines[len(lines)-1]
	if last == "" {
		last = "it printed no error"
	}
	return fmt.Errorf("%s ended (%v): %s", c.name, c.cmd.ProcessState, last)
}
