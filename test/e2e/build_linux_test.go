// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

const program = "nflog_exporter"

// The exporter as it is released, and with the race detector. Each is built
// once, when a test wants it.
var (
	released      = sync.OnceValues(func() (*os.File, error) { return build("CGO_ENABLED=0") })
	raceDetecting = sync.OnceValues(func() (*os.File, error) { return build("CGO_ENABLED=1", "-race") })
)

// executable returns the exporter's program, with the race detector if this one has
// it.
func executable(t *testing.T) *os.File {
	t.Helper()
	if raceEnabled() {
		return built(t, raceDetecting)
	}
	return built(t, released)
}

// built returns what build does.
func built(t *testing.T, build func() (*os.File, error)) *os.File {
	t.Helper()
	kerneltest.Require(t, "go")
	f, err := build()
	if err != nil {
		t.Fatalf("failed to build the exporter: %v", err)
	}
	return f
}

// build builds the exporter and returns the open file. It has no name any more,
// so that nothing is left of it when this process ends, however that happens.
func build(env string, flags ...string) (*os.File, error) {
	dir, err := os.MkdirTemp("", program)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	// Who owns the working copy may be unknown in a user namespace, which git
	// would complain about. A profile would have everything compiled anew.
	args := slices.Concat([]string{"build", "-buildvcs=false", "-pgo=off", "-o", path}, flags, []string{"../.."})
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.Open(path)
}

// command returns what runs a program that build has returned.
func command(program *os.File, args ...string) *exec.Cmd {
	return exec.Command(fmt.Sprintf("/proc/self/fd/%d", program.Fd()), args...)
}

// raceEnabled reports whether this program was built with the race detector.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
