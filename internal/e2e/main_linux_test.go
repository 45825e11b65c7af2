// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/internal/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/nflog"
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
)

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
