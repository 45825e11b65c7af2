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
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// roleVar tells a process that a test started what to be.
const roleVar = "DEMO_TEST_ROLE"

// The roles: a demo as it is started by one user or the other.
const (
	roleRoot      = "root"
	roleUser      = "user"      // without capabilities
	roleForbidden = "forbidden" // nor user namespaces
)

// TestMain lets the test binary be the demo, and the exporter that the demo
// starts, too.
func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVar); {
	case slices.Contains(os.Args, "--web.systemd-socket"):
		exit(standIn())
	case role == "":
		kerneltest.Main(m)
	case role == roleRoot:
		main()
	default:
		exit(degrade(role))
	}
}

// exit ends the process.
func exit(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// degrade starts this program again as a demo with fewer rights.
func degrade(role string) error {
	runtime.LockOSThread()
	if role == roleForbidden {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			return err
		}
	}
	// What is not in the bounding set is lost with exec, for root too.
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
		return err
	}
	if err := os.Setenv(roleVar, roleRoot); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// standIn serves, like the exporter, on the socket that it is given: the names
// of the interfaces that it sees.
func standIn() error {
	if slices.Contains(os.Args, "--fail") {
		return errors.New("stand-in: fails on purpose")
	}
	listeners, err := activation.Listeners()
	if err != nil {
		return err
	}
	if len(listeners) != 1 {
		return fmt.Errorf("stand-in: got %d sockets, want 1", len(listeners))
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

// A process is a demo in a process of its own.
type process struct {
	cmd    *exec.Cmd
	output string        // path of a file
	ended  chan struct{} // closed when cmd has been waited for
}

// start starts a demo with this program as its exporter, and kills it when the
// test ends.
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
		// There it may forbid things.
		p.cmd.SysProcAttr = netns.UserNS()
	}
	started := make(chan error)
	go func() {
		defer close(p.ended)
		// A demo ends with the thread that starts it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // tests look at ProcessState
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

// awaitEnd waits for the end of the demo.
func (p *process) awaitEnd(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("demo does not end; it wrote:\n%s", p.read(t))
	}
}

// get returns what is served at url.
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

// self returns the path of this program, to stand for the exporter.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatalf("failed to find test binary: %v", err)
	}
	return path
}

// requireUserNS skips the test where there are no user namespaces.
func requireUserNS(t *testing.T) {
	t.Helper()
	if err := exec.Command(kerneltest.Require(t, "unshare"), "--user", "true").Run(); err != nil {
		kerneltest.Skip(t, "no user namespaces: "+err.Error())
	}
}

func TestIntegrationDemo(t *testing.T) {
	tests := []struct {
		name   string
		role   string
		signal syscall.Signal
	}{
		{name: "root, SIGINT", role: roleRoot, signal: syscall.SIGINT},
		{name: "root, SIGTERM", role: roleRoot, signal: syscall.SIGTERM},
		{name: "root, SIGKILL", role: roleRoot, signal: syscall.SIGKILL},
		{name: "user, SIGINT", role: roleUser, signal: syscall.SIGINT},
		{name: "user, SIGTERM", role: roleUser, signal: syscall.SIGTERM},
		{name: "user, SIGKILL", role: roleUser, signal: syscall.SIGKILL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.NS(t) // skips where there are none
			if tt.role == roleUser {
				requireUserNS(t)
			}
			p := start(t, tt.role, "-exporter", self(t), "-listen", "127.0.0.1:0")
			var url string
			kerneltest.Eventually(t, 30*time.Second, func() error {
				url = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(p.read(t))
				if url == "" {
					return fmt.Errorf("no address in output:\n%s", p.read(t))
				}
				return nil
			})
			body, err := get(url)
			if err != nil {
				t.Fatalf("failed to get metrics: %v", err)
			}
			names := strings.Fields(body)
			slices.Sort(names)
			if diff := cmp.Diff([]string{"lan", "lo", "wan"}, names); diff != "" {
				t.Errorf("unexpected interfaces of exporter (-want +got):\n%s", diff)
			}

			if err := p.cmd.Process.Signal(tt.signal); err != nil {
				t.Fatalf("failed to signal: %v", err)
			}
			p.awaitEnd(t)
			if state := p.cmd.ProcessState; tt.signal != syscall.SIGKILL && !state.Success() {
				t.Errorf("demo ended with %v:\n%s", state, p.read(t))
			}
			// Every process that has the socket keeps it open.
			kerneltest.Eventually(t, 10*time.Second, func() error {
				_, err := get(url)
				if errors.Is(err, unix.ECONNREFUSED) {
					return nil
				}
				return errors.Join(errors.New("exporter is still there"), err)
			})
		})
	}
}

func TestIntegrationDemoErrors(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("failed to listen: %v", err)
	}
	defer busy.Close()
	exporter := self(t)
	tests := []struct {
		name string
		role string
		args []string
		want string // a regular expression
	}{
		{
			name: "no exporter",
			role: roleRoot,
			want: `demo: no exporter: .*: build it, and give its path with -exporter`,
		},
		{
			name: "missing exporter",
			role: roleRoot,
			args: []string{"-exporter", "/nonexistent"},
			want: `demo: no exporter: .*/nonexistent.*: build it, and give its path with -exporter`,
		},
		{
			name: "address in use",
			role: roleRoot,
			args: []string{"-exporter", exporter, "-listen", busy.Addr().String()},
			want: `demo: listen tcp 127\.0\.0\.1:\d+: bind: address already in use: choose another address with -listen, or: make demo DEMOFLAGS="-listen 127\.0\.0\.1:10101"`,
		},
		{
			name: "exporter fails",
			role: roleRoot,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0", "--", "--fail"},
			want: "stand-in: fails on purpose\ndemo: the exporter ended by itself: exit status 2",
		},
		{
			name: "exporter fails, user",
			role: roleUser,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0", "--", "--fail"},
			want: "stand-in: fails on purpose\ndemo: the exporter ended by itself: exit status 2",
		},
		{
			name: "no user namespaces",
			role: roleForbidden,
			args: []string{"-exporter", exporter, "-listen", "127.0.0.1:0"},
			want: `demo: user namespaces are forbidden here \(.*\): run the demo as root, .*`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.NS(t) // skips where there are none
			if tt.role != roleRoot {
				requireUserNS(t)
			}
			p := start(t, tt.role, tt.args...)
			p.awaitEnd(t)
			if code := p.cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("unexpected exit status: got %d, want 1", code)
			}
			if got := p.read(t); !regexp.MustCompile(`^` + tt.want + `\n$`).MatchString(got) {
				t.Errorf("unexpected output:\n- want: %s\n-  got: %s", tt.want, got)
			}
		})
	}
}
