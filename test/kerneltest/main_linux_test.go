// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// roleVar tells TestIntegrationRole what to do in a process that another test
// started.
const roleVar = "KERNELTEST_ROLE"

// inUserNS is the variable that Main sets where it runs the tests again.
const inUserNS = "NFLOG_KERNELTEST_USERNS"

// TestIntegrationRole does nothing, except in a process that another test
// started.
func TestIntegrationRole(t *testing.T) {
	switch role := os.Getenv(roleVar); role {
	case "":
	case "use":
		if uid := os.Getuid(); uid != 0 {
			t.Errorf("got user id %d, want 0", uid)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("failed to listen: %v", err)
		}
		defer listener.Close()
		if _, err := net.Dial("tcp", listener.Addr().String()); err != nil {
			t.Errorf("loopback interface does not work: %v", err)
		}
		ns := kerneltest.NS(t)
		if err := ns.Sysctl("net/ipv4/ip_forward", "1"); err != nil {
			t.Errorf("failed to configure namespace: %v", err)
		}
	case "fail":
		t.Error("fails on purpose")
	case "forbid":
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			t.Fatalf("failed to forbid user namespaces: %v", err)
		}
		out, err := rerun(t, "use", nil)
		t.Logf("%s%v", out, err)
	}
}

// rerun runs TestIntegrationRole with a role in a process without the
// capabilities that tests of the kernel need, and returns its output.
func rerun(t *testing.T, role string, attr *syscall.SysProcAttr) (string, error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestIntegrationRole$", "-test.v")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, inUserNS+"=") || strings.HasPrefix(s, "CI=")
	}), roleVar+"="+role)
	cmd.SysProcAttr = attr
	type result struct {
		out []byte
		err error
	}
	done := make(chan result)
	go func() {
		// The thread ends with this goroutine.
		runtime.LockOSThread()
		// By exec, even root loses the capabilities that are not in the bounding set.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
			done <- result{err: err}
			return
		}
		out, err := cmd.CombinedOutput()
		done <- result{out: out, err: err}
	}()
	r := <-done
	return string(r.out), r.err
}

func TestIntegrationMain(t *testing.T) {
	if err := exec.Command(kerneltest.Require(t, "unshare"), "--user", "true").Run(); err != nil {
		kerneltest.Skip(t, "no user namespaces: "+err.Error())
	}
	kerneltest.NS(t) // skips where user namespaces give no capabilities
	tests := []struct {
		name       string
		role       string
		attr       *syscall.SysProcAttr
		want       string
		wantStatus int
	}{
		{name: "pass", role: "use", want: "--- PASS: TestIntegrationRole"},
		{name: "fail", role: "fail", want: "--- FAIL: TestIntegrationRole", wantStatus: 1},
		{name: "forbidden", role: "forbid", attr: netns.UserNS(), want: "run the tests as root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := rerun(t, tt.role, tt.attr)
			status := 0
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				status = exit.ExitCode()
			} else if err != nil {
				t.Fatalf("failed to run: %v", err)
			}
			if status != tt.wantStatus || !strings.Contains(out, tt.want) {
				t.Errorf("got status %d, want %d and %q in:\n%s", status, tt.wantStatus, tt.want, out)
			}
		})
	}
}
