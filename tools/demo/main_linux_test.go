// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// roleVar is the environment variable with the role of a process that a test starts.
const roleVar = "DEMO_TEST_ROLE"

// The roles: a demo with the rights of several users.
const (
	roleRoot      = "root"
	roleUser      = "user"      // without capabilities
	roleForbidden = "forbidden" // without capabilities and user namespaces
)

// TestMain lets the test binary act as the demo, and as the exporter that the demo
// starts.
func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVar); {
	case slices.Contains(os.Args, "--web.systemd-socket"):
		exit(fakeExporter())
	case role == "":
		kerneltest.Main(m)
	case role == roleRoot:
		main()
	default:
		exit(degrade(role))
	}
}

// exit prints an error and ends the process.
func exit(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// degrade runs this program again as a demo with fewer rights.
func degrade(role string) error {
	runtime.LockOSThread()
	if role == roleForbidden {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			return err
		}
	}
	// At exec, even root loses capabilities that are not in the bounding set.
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
		return err
	}
	if err := os.Setenv(roleVar, roleRoot); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// fakeExporter serves on the inherited socket, like the exporter. It returns the
// names of the interfaces in its network namespace.
func fakeExporter() error {
	if slices.Contains(os.Args, "--fail") {
		return errors.New("fake exporter: fails on purpose")
	}
	listeners, err := activation.Listeners()
	if err != nil {
		return err
	}
	if len(listeners) != 1 {
		return fmt.Errorf("fake exporter: got %d sockets, want 1", len(listeners))
	}
	return http.Serve(listeners[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		interfaces, err := net.Interfaces()
		if err != nil {
			fmt.Fprintln(w, err)
		}
		for _, ifi := range interfaces {
			fmt.Fprintln(w, ifi.Name)
		}
	}))
}

// A process is a running demo.
type process struct {
	cmd    *exec.Cmd
	output string        // path of a file
	ended  chan struct{} // closed when cmd has been waited for
}

// start starts a demo. It kills it at the end of the test.
func start(t *testing.T, role string, args ...string) *process {
	t.Helper()
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatalf("failed to make file: %v", err)
	}
	defer output.Close()
	p := &process{cmd: exec.Command("/proc/self/exe", args...), output: output.Name(), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), roleVar+"="+role)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	if role == roleForbidden {
		// Root of a user namespace may forbid further ones.
		p.cmd.SysProcAttr = netns.UserNS()
	}
	started := make(chan error)
	go func() {
		defer close(p.ended)
		// The demo ends when the thread that has started it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // tests check ProcessState
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("failed to start demo: %v", err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// read returns what the demo has written so far.
func (p *process) read(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(p.output)
	if err != nil {
		t.Fatalf("failed to read output: %v", err)
	}
	return string(b)
}

// awaitEnd waits until the demo has ended.
func (p *process) awaitEnd(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the demo does not end; its output:\n%s", p.read(t))
	}
}

// get returns the body of the response from url.
func get(url string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// self returns the path of this program, which acts as the exporter.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatalf("failed to find test binary: %v", err)
	}
	return path
}

// requireUserNS skips the test if user namespaces are forbidden.
func requireUserNS(t *testing.T) {
	t.Helper()
	if err := exec.Command(kerneltest.Require(t, "unshare"), "--user", "true").Run(); err != nil {
		kerneltest.Skip(t, "no user namespaces: "+err.Error())
	}
}
