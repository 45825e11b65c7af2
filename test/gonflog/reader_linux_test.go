// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/procnet"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationReader checks that a program changes from go-nflog to package nflog, and back, by its import path
// alone: it builds with both, and counts the same packets.
func TestIntegrationReader(t *testing.T) {
	const (
		ours   = "github.com/nflog-exporter/nflog_exporter/nflog"
		theirs = "github.com/florianl/go-nflog/v2"
	)
	source, err := os.ReadFile("../../tools/bench/compatible/main.go")
	must(t, err)
	if n := strings.Count(string(source), `"`+ours+`"`); n != 1 {
		t.Fatalf("the program imports %s %d times, want once", ours, n)
	}
	for _, path := range []string{ours, theirs} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "main.go")
			must(t, os.WriteFile(file, []byte(strings.Replace(string(source), ours, path, 1)), 0o600))
			program := strings.TrimSuffix(file, ".go")
			out, err := exec.Command(kerneltest.Require(t, "go"), "build", "-buildvcs=false", "-o", program, file).CombinedOutput()
			if err != nil {
				t.Fatalf("failed to build: %v: %s", err, out)
			}
			if diff := cmp.Diff("8\n", readPackets(t, program)); diff != "" {
				t.Errorf("unexpected output (-want +got):\n%s", diff)
			}
		})
	}
}

// readPackets logs eight packets to the group that a program reads, and returns what the program prints.
func readPackets(t *testing.T, program string) string {
	t.Helper()
	const group = 100
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	rs.Chain(nftrules.Chain{Hook: nftrules.Output, Drop: true}).Log(group, "reader")
	must(t, rs.Apply())

	var stdout, stderr strings.Builder
	cmd := exec.Command(program)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, ns.Start(cmd))
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	awaitIdle(t, ns, group)
	must(t, traffic.UDP(ns, netip.MustParseAddrPort("127.0.0.1:9"), 8, 10))
	awaitIdle(t, ns, group)
	time.Sleep(100 * time.Millisecond) // it has received the packets, and now counts them
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program failed: %v", err)
	}
	if stderr.Len() > 0 {
		t.Errorf("unexpected error output: %s", stderr.String())
	}
	return stdout.String()
}

// awaitIdle waits until a group is bound and none of its packets waits in the kernel.
func awaitIdle(t *testing.T, ns *netns.NS, group uint16) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		g, err := procnet.ReadGroup(ns, group)
		if err == nil && (!g.Bound || g.Batched > 0 || g.Queued > 0) {
			err = fmt.Errorf("group %d: %+v", group, g)
		}
		return err
	})
}
