// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// inUserNS in the environment tells Main that it runs in the namespaces that
// another Main made.
const inUserNS = "NFLOG_KERNELTEST_USERNS"

// Main runs the tests of a package and exits. Without the capabilities that
// tests of the kernel need, it runs the test binary again as root of new user,
// network and mount namespaces. Where user namespaces are forbidden it runs the
// tests as they are, and tests that call [NS] skip. With -short it makes no
// namespaces, as all tests that need them skip.
func Main(m *testing.M) {
	flag.Parse()
	if os.Getenv(inUserNS) != "" {
		if err := loopbackUp(); err != nil {
			fmt.Fprintf(os.Stderr, "kerneltest: %v\n", err)
		}
		os.Exit(m.Run())
	}
	if netns.Privileged() || testing.Short() {
		os.Exit(m.Run())
	}
	status, err := runInUserNS()
	if err != nil {
		fmt.Fprintf(os.Stderr, "kerneltest: failed to make a user namespace: %v\n", err)
		os.Exit(m.Run())
	}
	os.Exit(status)
}

// loopbackUp sets the loopback interface up, for tests that listen on it.
func loopbackUp() error {
	ns, err := netns.Current()
	if err != nil {
		return err
	}
	defer ns.Close()
	return ns.SetUp("lo")
}

// runInUserNS runs this program again in new namespaces, with the same arguments,
// and returns its exit status.
func runInUserNS() (status int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Debian leaves the folders of nft and iptables out of an ordinary user's PATH.
	cmd.Env = append(os.Environ(), inUserNS+"=1", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.SysProcAttr = netns.UserNS()
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET | unix.CLONE_NEWNS
	// The kernel sends the child's death signal when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if exit.ExitCode() < 0 { // killed by a signal
			return 1, nil
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}
