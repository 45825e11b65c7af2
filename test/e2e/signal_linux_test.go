// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// manyRules is a configuration file that takes long to read.
func manyRules() string {
	var b strings.Builder
	b.WriteString("groups: [{group: 100}]\nprefix_rules:\n")
	for i := range 1500 {
		fmt.Fprintf(&b, "- match: 'fw (?P<zone>[a-z]+) (?P<verdict>drop|reject) %d'\n", i)
	}
	return b.String()
}

// TestIntegrationHangupsAtStart sends 100 SIGHUPs, a millisecond apart, from the moment on at which the exporter has begun to
// handle signals, and another 100 while it stops. None ends it.
func TestIntegrationHangupsAtStart(t *testing.T) {
	const hangups = 100
	ns := kerneltest.NS(t)
	file := newConfigFile(t, manyRules())
	e := launchUntilHandling(t, ns, "--config.file="+file.path)
	hangup := func() {
		for range hangups {
			if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	hangup()
	e.awaitReady(t)
	kerneltest.Eventually(t, bookTimeout, func() error {
		if len(e.log.lines(applied)) == 0 {
			return errors.New("the file was not reloaded")
		}
		return nil
	})
	e.signal(t, syscall.SIGTERM)
	hangup()
	e.awaitExit(t, 0)
}

// launchUntilHandling starts the exporter and waits until it ignores SIGHUP, which it does before anything else. From then on
// no SIGHUP may end it. Signals that are sent earlier meet the kernel's defaults.
func launchUntilHandling(t *testing.T, ns *netns.NS, args ...string) *exporter {
	t.Helper()
	for range 50 {
		e := launch(t, ns, command(executable(t), args...))
		if e.awaitIgnored(t, syscall.SIGHUP) {
			return e
		}
		e.kill() // this process was too slow to see it
	}
	t.Fatal("the exporter does not ignore SIGHUP at the start")
	return nil
}

// awaitIgnored waits until the process ignores a signal. It returns false if the process already logs, and so handles it.
func (e *exporter) awaitIgnored(t *testing.T, signal syscall.Signal) bool {
	t.Helper()
	for len(e.log.lines("")) == 0 {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
		must(t, err)
		_, mask, _ := strings.Cut(string(status), "\nSigIgn:")
		mask, _, _ = strings.Cut(strings.TrimSpace(mask), "\n")
		ignored, err := strconv.ParseUint(mask, 16, 64)
		must(t, err)
		if ignored&(1<<(signal-1)) != 0 {
			return true
		}
	}
	return false
}
