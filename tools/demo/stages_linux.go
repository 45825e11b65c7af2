// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// stopGrace is how long a process has to end after SIGTERM: a little more than
// the exporter takes at most.
const stopGrace = 6 * time.Second

// nextStage returns a command that runs this program again, with the same
// arguments, for another stage. It gets SIGTERM when ctx ends.
func nextStage(ctx context.Context, stage string, socket *os.File, attr *syscall.SysProcAttr) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVar+"="+stage)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{socket}
	cmd.SysProcAttr = attr
	// Ctrl-C is for the first process alone, which tells the others.
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// runInUserNS runs the next stage as root of a user namespace until it ends.
func runInUserNS(ctx context.Context, socket *os.File) error {
	// The child is killed when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := nextStage(ctx, stageNetwork, socket, netns.UserNS())
	// It has a child of its own to wait for.
	cmd.WaitDelay = 2 * stopGrace
	if err := cmd.Start(); err != nil {
		return forbidden(err)
	}
	err := cmd.Wait()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &exit) && exit.Exited():
		return errReported
	}
	return err
}

// forbidden explains that err keeps the demo from making its namespaces.
func forbidden(err error) error {
	return fmt.Errorf(`user namespaces are forbidden here (%w): run the demo as root, sudo env "PATH=$PATH" make demo, and in a container only if that is privileged`, err)
}

// startExporter starts the exporter in ns, to serve on socket.
func startExporter(ctx context.Context, ns *netns.NS, socket *os.File) (*exec.Cmd, error) {
	cmd := nextStage(ctx, stageExporter, socket, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
	if err := ns.Start(cmd); err != nil {
		return nil, fmt.Errorf("start exporter: %w", err)
	}
	return cmd, nil
}

// becomeExporter replaces this process by the exporter. It is the one that can
// name the process that the socket is for, as socket activation asks.
func becomeExporter(path string, flags []string) error {
	path, err := exec.LookPath(path)
	if err != nil {
		return fmt.Errorf("no exporter: %w", err)
	}
	// What follows is the thread's, and only the thread that calls exec stays.
	runtime.LockOSThread()
	// The signal was set when this process started, for its first thread.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie to parent process: %w", err)
	}
	// A binary with file capabilities would lose the signal; it has the
	// capabilities that it needs without them.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("start exporter: %w", err)
	}
	for name, value := range map[string]string{
		"LISTEN_PID":     strconv.Itoa(os.Getpid()),
		"LISTEN_FDS":     "1",
		"LISTEN_FDNAMES": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("start exporter: %w", err)
		}
	}
	if err := os.Unsetenv(stageVar); err != nil {
		return fmt.Errorf("start exporter: %w", err)
	}
	args := append([]string{path, "--web.systemd-socket"}, flags...)
	return fmt.Errorf("start exporter %s: %w", path, syscall.Exec(path, args, os.Environ()))
}
