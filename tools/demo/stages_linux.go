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

// stopGrace is the time that a process gets to end after SIGTERM: a little more than
// the exporter needs at most.
const stopGrace = 6 * time.Second

// nextStage returns a command that runs another stage of this program, with the same
// arguments. The process gets SIGTERM when ctx ends.
func nextStage(ctx context.Context, stage string, socket *os.File, attr *syscall.SysProcAttr) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVar+"="+stage)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{socket}
	cmd.SysProcAttr = attr
	// Only the first process gets the terminal's SIGINT. It ends the others.
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
	// It waits for a child of its own.
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

// forbidden returns an error that says why the demo can't make namespaces, and how
// to run it nevertheless.
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

// becomeExporter replaces this process by the exporter. For socket activation,
// LISTEN_PID must be the process id of the exporter, which is that of this process.
func becomeExporter(path string, flags []string) error {
	path, err := exec.LookPath(path)
	if err != nil {
		return fmt.Errorf("no exporter: %w", err)
	}
	// The settings below belong to the thread, and only the thread that calls exec
	// remains.
	runtime.LockOSThread()
	// Pdeathsig has set the signal for the first thread only.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie to parent process: %w", err)
	}
	// Exec of a binary with file capabilities would clear the signal. The process has
	// the capabilities that it needs, so it can do without those of the file.
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
	// The kernel gives an ordinary user no larger buffer, of which the exporter would warn.
	args := append([]string{path, "--web.systemd-socket", "--nflog.socket-buffer=208KiB"}, flags...)
	return fmt.Errorf("start exporter %s: %w", path, syscall.Exec(path, args, os.Environ()))
}
