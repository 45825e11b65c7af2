// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gonflog

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

const (
	oldVersion = "v2.1.0"
	oldModFile = "-modfile=" + oldVersion + ".mod"

	// withOldVersion is an environment variable that is set for tests with oldVersion.
	withOldVersion = "GONFLOG_TEST_OLD_VERSION"
)

// isOld reports whether the tests compare with oldVersion.
func isOld() bool { return os.Getenv(withOldVersion) != "" }

// TestOldVersion runs all tests with the oldest version that nflog replaces.
func TestOldVersion(t *testing.T) {
	if isOld() {
		return
	}
	program := kerneltest.Require(t, "go")
	version, err := exec.Command(program, "list", "-m", oldModFile, "-f", "{{.Version}}", "github.com/florianl/go-nflog/v2").CombinedOutput()
	if got := strings.TrimSpace(string(version)); err != nil || got != oldVersion {
		t.Fatalf("unexpected version of go-nflog: %q, %v, want %s", got, err, oldVersion)
	}
	cmd := exec.Command(program, "test", "-count=1", oldModFile, ".")
	cmd.Env = append(os.Environ(), withOldVersion+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the tests fail with %s: %v\n%s", oldVersion, err, strings.TrimSpace(string(out)))
	}
}
