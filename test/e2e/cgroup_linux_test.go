// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// A memoryGroup is a control group with a memory limit.
type memoryGroup struct {
	dir string
	v2  bool
}

// newMemoryGroup makes a control group that may use so many bytes. It skips the test where that is forbidden.
func newMemoryGroup(t *testing.T, bytes int) *memoryGroup {
	t.Helper()
	if kerneltest.InUserNamespace() {
		t.Skip("the test makes a control group, which an ordinary user can't")
	}
	const root = "/sys/fs/cgroup"
	g := &memoryGroup{}
	parent, limit := root+"/memory", "memory.limit_in_bytes"
	var fs unix.Statfs_t
	must(t, unix.Statfs(root, &fs))
	if fs.Type == unix.CGROUP2_SUPER_MAGIC {
		g.v2, parent, limit = true, root, "memory.max"
		_ = os.WriteFile(root+"/cgroup.subtree_control", []byte("+memory"), 0)
	}
	g.dir = filepath.Join(parent, fmt.Sprintf("nflog_exporter_test_%d", os.Getpid()))
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		kerneltest.Skip(t, "no control group can be made here: "+err.Error())
	}
	t.Cleanup(func() {
		if err := os.Remove(g.dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(g.dir, limit), []byte(strconv.Itoa(bytes)), 0); err != nil {
		kerneltest.Skip(t, "memory can't be limited here: "+err.Error())
	}
	if err := os.WriteFile(filepath.Join(g.dir, "memory.swap.max"), []byte("0"), 0); g.v2 && err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return g
}

// command returns a command that runs a program, which build has returned, in the control group.
func (g *memoryGroup) command(program *os.File, args ...string) *exec.Cmd {
	const script = `echo $$ >"$0/cgroup.procs" && exec /proc/self/fd/3 "$@"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, g.dir}, args...)...)
	cmd.ExtraFiles = []*os.File{program}
	return cmd
}

// peak returns the most memory that the group has used in bytes, or 0 where the kernel does not say. It includes caches, which the
// kernel drops at the limit.
func (g *memoryGroup) peak() int {
	name := "memory.max_usage_in_bytes"
	if g.v2 {
		name = "memory.peak"
	}
	value, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(value)))
	return n
}
