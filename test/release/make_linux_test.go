// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// printBuild in the environment makes the test binary print how it was called, in place of the go command.
const printBuild = "RELEASE_TEST_PRINT_BUILD"

func TestMain(m *testing.M) {
	if os.Getenv(printBuild) == "" {
		os.Exit(m.Run())
	}
	b, err := parseBuild(os.Args[1:], os.Getenv)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(b)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// build is what a call of "go build" asks for.
type build struct {
	Output, Package     string
	Trimpath            bool
	BuildVCS            string
	LDFlags             []string
	CGO                 string
	GOOS, GOARCH, GOARM string
}

// parseBuild reads the arguments and the environment of the go command. A flag that it does not know is an error.
func parseBuild(args []string, getenv func(string) string) (build, error) {
	b := build{CGO: getenv("CGO_ENABLED"), GOOS: getenv("GOOS"), GOARCH: getenv("GOARCH"), GOARM: getenv("GOARM")}
	if len(args) == 0 || args[0] != "build" {
		return b, fmt.Errorf("go %q: not a build", args)
	}
	flags := flag.NewFlagSet("go build", flag.ContinueOnError)
	flags.StringVar(&b.Output, "o", "", "")
	flags.BoolVar(&b.Trimpath, "trimpath", false, "")
	flags.StringVar(&b.BuildVCS, "buildvcs", "", "")
	ldflags := flags.String("ldflags", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return b, err
	}
	b.LDFlags = strings.Fields(*ldflags)
	b.Output = filepath.Clean(b.Output)
	b.Package = strings.Join(flags.Args(), " ")
	return b, nil
}

// makeIn runs make with some arguments in a folder, in an environment that has no settings of a make around it, and
// returns what it prints.
func makeIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := command(t, dir, "make", append([]string{"--silent"}, args...)...)
	cmd.Env = append(cmd.Env, printBuild+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("make %q: %v", args, err)
	}
	return string(out)
}

// builds returns the calls of the go command that make does.
func builds(t *testing.T, dir string, args ...string) []build {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var all []build
	for line := range strings.Lines(makeIn(t, dir, append(args, "GO="+self)...)) {
		var b build
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatalf("make %q prints %q: %v", args, line, err)
		}
		all = append(all, b)
	}
	return all
}

// command returns a command that runs in a folder and knows no more of the environment than it needs. The test is
// skipped, and fails where CI is set, if the program is not there.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, name), args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + t.TempDir(),
		// Git takes the tree for nobody else's, and no folder above a test's for a repository.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir),
	}
	return cmd
}
