// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

const program = "nflog_exporter"

// exporterVar is the environment variable with the path of the exporter, for a machine without Go. By default, the tests
// build it.
const exporterVar = "NFLOG_E2E_EXPORTER"

// The exporter as it is released, and with the race detector. Each is built once,
// on first use.
var (
	released      = sync.OnceValues(release)
	raceDetecting = sync.OnceValues(func() (*os.File, error) { return build("CGO_ENABLED=1", "-race") })
)

// executable returns the exporter's program. It has the race detector if this test binary has it.
func executable(t *testing.T) *os.File {
	t.Helper()
	if kerneltest.RaceEnabled() {
		return built(t, raceDetecting)
	}
	return built(t, released)
}

// built returns the result of build, and fails the test on an error.
func built(t *testing.T, build func() (*os.File, error)) *os.File {
	t.Helper()
	if os.Getenv(exporterVar) == "" {
		kerneltest.Require(t, "go")
	}
	f, err := build()
	if err != nil {
		t.Fatalf("failed to build the exporter: %v", err)
	}
	return f
}

// release returns the exporter that the environment names, or builds it.
func release() (*os.File, error) {
	if path := os.Getenv(exporterVar); path != "" {
		return os.Open(path)
	}
	return build("CGO_ENABLED=0")
}

// build builds the exporter and returns the open file. The file has no name any
// more, so that nothing remains when this process ends, even when it is killed.
func build(env string, flags ...string) (*os.File, error) {
	dir, err := os.MkdirTemp("", program)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	// In a user namespace the owner of the working copy may be unknown: then git
	// fails. With a profile, all packages would be compiled again.
	args := slices.Concat([]string{"build", "-buildvcs=false", "-pgo=off", "-o", path}, flags, []string{"../.."})
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.Open(path)
}

// command returns a command for a program that build has returned.
func command(program *os.File, args ...string) *exec.Cmd {
	return exec.Command(fmt.Sprintf("/proc/self/fd/%d", program.Fd()), args...)
}
