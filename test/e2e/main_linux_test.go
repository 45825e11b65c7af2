// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// group is the NFLOG group that the exporter reads if it is not told another.
const group = 100

// roleVar in the environment makes the test binary something else.
const roleVar = "NFLOG_E2E_ROLE"

const (
	// roleHolder reads the group until its standard input ends.
	roleHolder = "holder"

	// roleIncapable runs the exporter without CAP_NET_ADMIN.
	roleIncapable = "incapable"

	// roleNamed runs the exporter where the network namespace of namedVar has a name, and reads that one.
	roleNamed = "named"
)

// namedVar in the environment is the path of a network namespace.
const namedVar = "NFLOG_E2E_NETNS"

// holding is what the holder writes when it has the group.
const holding = "holding\n"

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVar); role {
	case "":
		kerneltest.Main(m)
	case roleHolder:
		err = hold()
	case roleIncapable:
		err = runIncapable()
	case roleNamed:
		err = runNamed()
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// ourselves returns the test binary in a role.
func ourselves(role string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	return cmd
}

// hold reads the group until standard input ends.
func hold() error {
	r, err := nflog.OpenReader(group, nflog.ReaderConfig{})
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(holding); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return r.Close()
}

// runIncapable becomes the exporter, which is descriptor 3, without a capability
// that even root only keeps by exec if it is in the bounding set.
func runIncapable() error {
	runtime.LockOSThread() // the set is the thread's
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_ADMIN, 0, 0, 0); err != nil {
		return fmt.Errorf("drop CAP_NET_ADMIN: %w", err)
	}
	return syscall.Exec("/proc/self/fd/3", []string{program}, os.Environ())
}

// runNamed becomes the exporter, which is descriptor 3, in a mount namespace of its own with another /run, where the network
// namespace is called blue.
func runNamed() error {
	runtime.LockOSThread() // the namespace is the thread's
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make mount namespace: %w", err)
	}
	if err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unmountOthers(os.Getenv(namedVar)),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, ""),
		os.Mkdir("/run/netns", 0o755),
		os.Symlink(os.Getenv(namedVar), "/run/netns/blue"),
	); err != nil {
		return fmt.Errorf("name network namespace: %w", err)
	}
	return syscall.Exec("/proc/self/fd/3", []string{program, "--nflog.netns=own", "--nflog.netns=blue"}, os.Environ())
}

// unmountOthers unmounts all namespaces but one: those of other tests would not end as long as they are mounted here. What
// was mounted before a user namespace was made can't be unmounted in that, and is of no test.
func unmountOthers(path string) error {
	mounts, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); strings.Contains(line, " - nsfs ") && fields[4] != path {
			_ = unix.Unmount(fields[4], unix.MNT_DETACH)
		}
	}
	return nil
}
