// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationConfigFileIsPipe has a named pipe for a configuration file: at the start, and at a reload.
func TestIntegrationConfigFileIsPipe(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	refused := launch(t, ns, command(executable(t), "--config.file="+pipe))
	refused.awaitExit(t, 1)
	if lines := refused.log.lines(""); len(lines) != 1 || !strings.Contains(lines[0], "must be a regular file, not a pipe") {
		t.Errorf("unexpected log: %q", lines)
	}

	b := logOutput(t, ns, "")
	file := newConfigFile(t, "groups: [{group: 100}]\n")
	e := start(t, ns, "--config.file="+file.path, "--web.enable-lifecycle")
	must(t, os.Rename(pipe, file.path))
	want := `--config.file="` + file.path + `": must be a valid configuration file: ` + file.path + ": must be a regular file, not a pipe\n"
	for range 3 {
		e.hangup(t, "must be a regular file, not a pipe")
		e.reload(t, http.StatusInternalServerError, want)
	}
	must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
	b.check(t, e)
	file.write(t, "")
	e.reload(t, http.StatusInternalServerError, file.path+":1:1: must not be empty where it was not before: write groups: [] if nothing is to be configured\n")
	file.write(t, "groups: []\n")
	e.reload(t, http.StatusOK, "ok\n")
}

// TestIntegrationConfigFileHangs has a configuration file that can't be opened or read, as on a mount without its server. A
// reload fails in time, further ones fail at once, and all else goes on. At the start, SIGTERM ends the exporter at once.
func TestIntegrationConfigFileHangs(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]uint64{"open": unix.FAN_OPEN_PERM, "read": unix.FAN_ACCESS_PERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			b := logOutput(t, ns, "")
			file := newConfigFile(t, "groups: [{group: 100}]\n")
			e := start(t, ns, "--config.file="+file.path, "--web.enable-lifecycle")
			threads := e.threads(t)
			calls := hangCalls(t, file.path, event)

			e.hangup(t, "the file system does not answer within 5s")
			calls.await(t, e)
			for range 100 {
				start := time.Now()
				status, _, body, err := e.request(t.Context(), http.MethodPost, "/-/reload", "")
				if err != nil || status != http.StatusInternalServerError || !strings.Contains(string(body), "the file system has not answered since ") {
					t.Fatalf("unexpected result of a reload: %d, %s, %v", status, body, err)
				}
				if took := time.Since(start); took > promptTimeout {
					t.Errorf("a reload beside one that hangs took %v", took)
				}
			}
			if got := e.threads(t); got > threads+20 {
				t.Errorf("%d threads, before it were %d", got, threads)
			}
			e.checkPrompt(t)
			must(t, traffic.UDP(ns, toPort(loopback4), 3, 10))
			b.check(t, e)
			if err := e.mustScrape(t).expectOwn(0, "nflog_exporter_config_last_reload_successful"); err != nil {
				t.Error(err)
			}

			second := launch(t, ns, command(executable(t), "--config.file="+file.path, "--web.listen-address=:10101"))
			calls.await(t, second)
			start := time.Now()
			second.signal(t, syscall.SIGTERM)
			second.awaitExit(t, 0)
			if took := time.Since(start); took > promptTimeout {
				t.Errorf("ended after %v", took)
			}

			calls.release()
			kerneltest.Eventually(t, bookTimeout, func() error {
				status, _, body, err := e.request(t.Context(), http.MethodPost, "/-/reload", "")
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("status %d: %s", status, body)
				}
				return err
			})
		})
	}
}

// threads returns how many threads the exporter has.
func (e *exporter) threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", e.cmd.Process.Pid))
	must(t, err)
	return len(tasks)
}

// hangingCalls are system calls that wait for a permission.
type hangingCalls struct{ fd int }

// hangCalls has system calls on a file wait until release is called or the test ends: those that cause an event of fanotify(7).
func hangCalls(t *testing.T, path string, event uint64) *hangingCalls {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY|unix.O_CLOEXEC)
	if errors.Is(err, unix.EPERM) {
		t.Skip("fanotify needs CAP_SYS_ADMIN in the initial user namespace")
	}
	must(t, err)
	c := &hangingCalls{fd}
	t.Cleanup(c.release)
	must(t, unix.FanotifyMark(fd, unix.FAN_MARK_ADD, event, unix.AT_FDCWD, path))
	return c
}

// await waits until a call of the exporter hangs.
func (c *hangingCalls) await(t *testing.T, e *exporter) {
	t.Helper()
	for {
		poll := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, int(bookTimeout.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		must(t, err)
		if n == 0 {
			t.Fatal("no call hangs")
		}
		break
	}
	event := make([]byte, unix.FAN_EVENT_METADATA_LEN) // of struct fanotify_event_metadata
	_, err := unix.Read(c.fd, event)
	must(t, err)
	must(t, unix.Close(int(binary.NativeEndian.Uint32(event[16:]))))
	if pid := int(binary.NativeEndian.Uint32(event[20:])); pid != e.cmd.Process.Pid {
		t.Fatalf("a call of process %d hangs, want one of the exporter, %d", pid, e.cmd.Process.Pid)
	}
}

// release lets all calls go on.
func (c *hangingCalls) release() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}
