// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// group is the NFLOG group that the exporter reads by default.
const group = 100

// roleVar is the environment variable that gives the test binary another role than to run tests.
const roleVar = "NFLOG_E2E_ROLE"

const (
	// roleHolder reads the group until its standard input ends.
	roleHolder = "holder"

	// roleIncapable runs the exporter without CAP_NET_ADMIN.
	roleIncapable = "incapable"

	// roleNamed runs the exporter where the network namespace of namedVar has a name, which the exporter reads.
	roleNamed = "named"

	// roleHostile runs hostile clients of the exporter at the address of addressVar, until its standard input ends.
	roleHostile = "hostile"
)

// addressVar is the environment variable with that address.
const addressVar = "NFLOG_E2E_ADDRESS"

// namedVar is the environment variable with the path of that network namespace.
const namedVar = "NFLOG_E2E_NETNS"

// holding is the line that the holder writes once it has bound the group.
const holding = "holding\n"

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVar); role {
	case "":
		setParallel()
		kerneltest.Main(m)
	case roleHolder:
		err = hold()
	case roleIncapable:
		err = runIncapable()
	case roleNamed:
		err = runNamed()
	case roleHostile:
		err = runHostileClients()
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// setParallel has more tests run at once than there are processors, because most wait more than they compute. In CI, other jobs
// run on the machine meanwhile.
func setParallel() {
	flag.Parse()
	byUser := false
	flag.Visit(func(f *flag.Flag) { byUser = byUser || f.Name == "test.parallel" })
	if !byUser && os.Getenv("CI") == "" {
		_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))) // a number from 1 on can be set
	}
}

// testBinary returns a command that runs this test binary in a role.
func testBinary(role string) *exec.Cmd {
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

// runIncapable replaces this process by the exporter, which is descriptor 3. The
// bounding set lacks CAP_NET_ADMIN, so that even root loses it at exec.
func runIncapable() error {
	runtime.LockOSThread() // the set belongs to the thread
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_ADMIN, 0, 0, 0); err != nil {
		return fmt.Errorf("drop CAP_NET_ADMIN: %w", err)
	}
	return syscall.Exec("/proc/self/fd/3", []string{program}, os.Environ())
}

// runNamed replaces this process by the exporter, which is descriptor 3, in a mount namespace with its own /run. There the
// network namespace is called blue.
func runNamed() error {
	runtime.LockOSThread() // the namespace belongs to the thread
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

// unmountOthers unmounts all namespaces but one: as long as they are mounted here, namespaces of other tests would not end.
// Mounts that are older than the user namespace can't be unmounted in it, but they belong to no test.
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
