// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// promptTimeout is how long a response may take, whatever the log does.
const promptTimeout = time.Second

// droppedLines is the counter of log lines that the log did not take.
const droppedLines = "nflog_exporter_log_lines_dropped_total"

// TestIntegrationLogTakesNothing starts the exporter with a standard error that takes no line, or stops to take any, while
// another process holds the group. It takes the group over, reloads, loses packets, answers, and ends.
func TestIntegrationLogTakesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		stderr  func(*testing.T) (stderr *os.File, spoil func())
		dropped bool // lines are dropped, and not only queued
	}{
		{name: "full", stderr: fullPipe},
		{name: "nobody reads", stderr: unreadPipe},
		{name: "reader gone", stderr: brokenPipe, dropped: true},
		{name: "no space", stderr: fullDevice, dropped: true},
		{name: "closed", stderr: func(*testing.T) (*os.File, func()) { return nil, func() {} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns, b := floodable(t)
			_, release := holdByLibrary(t, ns)
			file := newConfigFile(t, "groups: [{group: 100}]\n")
			args := []string{"--config.file=" + file.path, "--web.enable-lifecycle", "--nflog.socket-buffer=128KiB", "--nflog.queue-timeout=10ms"}
			stderr, spoil := tt.stderr(t)
			e := launch(t, ns, commandWithStderr(executable(t), stderr, args...))
			e.awaitReady(t)
			spoil()
			release()
			e.eventually(t, takeOverTimeout, func(s scrape) error { return s.expect(1, "nflog_up") })
			e.checkPrompt(t)

			// Each reload with another file makes a line, and every fourth binds another group or unbinds it.
			for i := range 40 {
				groups := fmt.Sprintf("groups: [{group: 100, copy_range: %d}]\n", 64+i)
				if i%4 < 2 {
					groups = fmt.Sprintf("groups: [{group: 100, copy_range: %d}, {group: 101}]\n", 64+i)
				}
				file.write(t, groups)
				e.signal(t, syscall.SIGHUP)
				e.reload(t, http.StatusOK, "ok\n")
			}
			file.write(t, "groups: "+strings.Repeat("[", 5000))
			if status, _, _, err := e.request(t.Context(), http.MethodPost, "/-/reload", ""); err != nil || status != http.StatusInternalServerError {
				t.Errorf("unexpected result of a reload: %d, %v", status, err)
			}
			e.checkPrompt(t)

			e.signal(t, syscall.SIGSTOP)
			flood(t, ns, floodPackets)
			e.signal(t, syscall.SIGCONT)
			logOneMore(t, ns, e)
			_, s := b.balance(t, e)
			if counted, lost := s.packets(), s.value("nflog_lost_packets_total"); counted == 0 || lost == 0 {
				t.Errorf("%.0f packets counted, %.0f lost: want some of each", counted, lost)
			}
			flood(t, ns, floodPackets/10)
			logOneMore(t, ns, e)
			_, s = b.balance(t, e)
			if err := s.expect(1, "nflog_binds_total", "group", "100"); err != nil {
				t.Error(err)
			}
			if got := s.ownValue(droppedLines) > 0; got != tt.dropped {
				t.Errorf("%s is %v, want more than 0: %v", droppedLines, s.ownValue(droppedLines), tt.dropped)
			}
			e.checkPrompt(t)
			e.stop(t)
		})
	}
}

// commandWithStderr returns a command for the exporter with a standard error, closed if it is nil.
func commandWithStderr(program, stderr *os.File, args ...string) *exec.Cmd {
	if stderr != nil {
		cmd := command(program, args...)
		cmd.Stderr = stderr
		return cmd
	}
	args = append([]string{"-c", `exec "$0" "$@" 2>&-`, "/proc/self/fd/3"}, args...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.ExtraFiles = []*os.File{program}
	return cmd
}

// smallPipe returns a pipe of one page.
func smallPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	_, err = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	must(t, err)
	return r, w
}

// fullPipe is a pipe that has no room from the start.
func fullPipe(t *testing.T) (*os.File, func()) {
	t.Helper()
	_, w := smallPipe(t)
	_, err := w.Write(make([]byte, os.Getpagesize()))
	must(t, err)
	return w, func() {}
}

// unreadPipe is a pipe that becomes full.
func unreadPipe(t *testing.T) (*os.File, func()) {
	t.Helper()
	_, w := smallPipe(t)
	return w, func() {}
}

// brokenPipe is a pipe that loses its reader.
func brokenPipe(t *testing.T) (*os.File, func()) {
	t.Helper()
	r, w := smallPipe(t)
	return w, func() { r.Close() }
}

// fullDevice is a file on a device without space.
func fullDevice(t *testing.T) (*os.File, func()) {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f, func() {}
}

// checkPrompt checks that every path answers in time.
func (e *exporter) checkPrompt(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/metrics", "/-/ready", "/-/healthy", "/"} {
		start := time.Now()
		if _, _, err := e.get(t.Context(), path, ""); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > promptTimeout {
			t.Errorf("%s took %v, want at most %v", path, took, promptTimeout)
		}
	}
}

// TestIntegrationLogReadAgain lets the log's reader stand still until lines are dropped, and then read on. A line says how
// many were dropped, and no other is missing.
func TestIntegrationLogReadAgain(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NS(t)
	r, w := smallPipe(t)
	file := newConfigFile(t, "")
	e := launch(t, ns, commandWithStderr(executable(t), w, "--config.file="+file.path, "--web.enable-lifecycle"))
	w.Close()
	e.awaitReady(t)

	// A line has all mistakes, some 100 bytes each.
	mistakes := "groups:\n" + strings.Repeat("- {group: "+strings.Repeat("x", 60)+"}\n", 90)
	reloads := 0
	for e.mustScrape(t).ownValue(droppedLines) < 5 {
		file.write(t, fmt.Sprintf("# %d\n", reloads)+mistakes)
		if status, _, _, err := e.request(t.Context(), http.MethodPost, "/-/reload", ""); err != nil || status != http.StatusInternalServerError {
			t.Fatalf("unexpected result of a reload: %d, %v", status, err)
		}
		reloads++
		if reloads > 1000 {
			t.Fatal("no line was dropped")
		}
	}
	dropped := e.mustScrape(t).ownValue(droppedLines)

	read := make(chan []byte)
	go func() {
		log, _ := io.ReadAll(r)
		read <- log
	}()
	e.stop(t)
	log := <-read
	lines := bytes.Count(log, []byte("can't be used"))
	report := fmt.Sprintf(`level=error msg="Log lines were dropped, because standard error did not take them" lines=%.0f`, dropped)
	if n := bytes.Count(log, []byte(report)); n != 1 || lines+int(dropped) != reloads {
		t.Errorf("%d reloads, %d in the log, %.0f dropped, %d lines %q", reloads, lines, dropped, n, report)
	}
	if !bytes.HasSuffix(log, []byte("msg=Stopped\n")) {
		t.Error("the last line is missing")
	}
}

// TestIntegrationLogRequests sends requests that cause errors: the log has one line for each kind, not for each request.
func TestIntegrationLogRequests(t *testing.T) {
	t.Parallel()
	const requests = 200
	ns := kerneltest.NS(t)
	file := newConfigFile(t, "groups: [{group: 100}]\n")
	web := newConfigFile(t, "basic_auth_users: {}\n")
	e := start(t, ns, "--config.file="+file.path, "--web.config.file="+web.path, "--web.enable-lifecycle", "--collector.labels=group")
	// The last line of the start may come after the exporter is ready.
	kerneltest.Eventually(t, bookTimeout, func() error {
		if len(e.log.lines("TLS is disabled")) == 0 {
			return errors.New("the start has not been logged")
		}
		return nil
	})
	check := func(name, message string, most int, request func() error) {
		t.Helper()
		before := len(e.log.lines(""))
		for range requests {
			must(t, request())
		}
		kerneltest.Eventually(t, bookTimeout, func() error {
			if len(e.log.lines(message)) == 0 {
				return errors.New("no line in the log")
			}
			return nil
		})
		if n := len(e.log.lines("")) - before; n > most {
			t.Errorf("%s: %d lines in the log, want at most %d", name, n, most)
		}
	}
	post := func() error {
		_, _, _, err := e.request(t.Context(), http.MethodPost, "/-/reload", "")
		return err
	}
	check("reload", applied, 3, post)
	file.write(t, "groups: [{group: 100}]\nprefix_rules: [{match: '(?P<pod>.*)'}]\n")
	check("reload with warnings", "The prefix rules have no effect", 6, post)
	file.write(t, "groups: 7\n")
	check("bad reload", "can't be used", 3, post)
	web.write(t, "bad: 1\n")
	check("bad web configuration", "Unable to parse configuration", 3, func() error {
		_, _, _, err := e.request(t.Context(), http.MethodGet, "/metrics", "")
		return err
	})
	web.write(t, "basic_auth_users: {}\n")
}
