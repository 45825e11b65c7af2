// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// childTest is the environment variable that names the test that a child process runs.
const childTest = "NFLOG_COLLECTOR_TEST_CHILD"

// inChild runs the test again in a child process, as root of a new user namespace, and reports whether this is the child.
// flags are those of clone(2) for more new namespaces: with CLONE_NEWNET the child has all capabilities in its network
// namespace, without it none.
func inChild(t *testing.T, flags uintptr) bool {
	t.Helper()
	if os.Getenv(childTest) == t.Name() {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), childTest+"="+t.Name())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | flags,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := kerneltest.NS(t).Start(cmd)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		kerneltest.Skip(t, "user namespaces are forbidden here: "+err.Error())
	}
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Errorf("the child process failed: %v\n%s", err, &output)
	}
	return false
}
