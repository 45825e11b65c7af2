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
	"slices"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// printBuild in the environment makes the test binary take the place of the go command, and print how it is called.
const printBuild = "RELEASE_TEST_PRINT_BUILD"

// goVersion in the environment is the version that the test binary has as the go command.
const goVersion = "RELEASE_TEST_GO_VERSION"

func TestMain(m *testing.M) {
	if os.Getenv(printBuild) == "" {
		os.Exit(m.Run())
	}
	if slices.Equal(os.Args[1:], []string{"env", "GOVERSION"}) {
		fmt.Println(os.Getenv(goVersion))
		return
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

// build describes a call of "go build".
type build struct {
	Output, Package     string
	Trimpath            bool
	BuildVCS            string
	GCFlags             string
	LDFlags             []string
	CGO                 string
	GOOS, GOARCH, GOARM string
	GOMIPS              string // also GOMIPS64
}

// parseBuild parses the arguments and the environment of the go command. Unknown flags are errors.
func parseBuild(args []string, getenv func(string) string) (build, error) {
	b := build{CGO: getenv("CGO_ENABLED"), GOOS: getenv("GOOS"), GOARCH: getenv("GOARCH"), GOARM: getenv("GOARM"), GOMIPS: getenv("GOMIPS")}
	if other := getenv("GOMIPS64"); other != b.GOMIPS {
		return b, fmt.Errorf("GOMIPS is %q, GOMIPS64 is %q", b.GOMIPS, other)
	}
	if len(args) == 0 || args[0] != "build" {
		return b, fmt.Errorf("go %q: not a build", args)
	}
	flags := flag.NewFlagSet("go build", flag.ContinueOnError)
	flags.StringVar(&b.Output, "o", "", "")
	flags.BoolVar(&b.Trimpath, "trimpath", false, "")
	flags.StringVar(&b.BuildVCS, "buildvcs", "", "")
	flags.StringVar(&b.GCFlags, "gcflags", "", "")
	ldflags := flags.String("ldflags", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return b, err
	}
	b.LDFlags = strings.Fields(*ldflags)
	b.Output = filepath.Clean(b.Output)
	b.Package = strings.Join(flags.Args(), " ")
	return b, nil
}

// makeIn runs make in a folder, without the settings of a make that runs the tests, and returns its output.
func makeIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := makeCommand(t, dir, "go99.1", args...).Output()
	if err != nil {
		t.Fatalf("make %q: %v", args, err)
	}
	return string(out)
}

// makeCommand returns a command that runs make. The test binary is its go command if args say so, and has a version.
func makeCommand(t *testing.T, dir, version string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, dir, "make", append([]string{"--silent"}, args...)...)
	cmd.Env = append(cmd.Env, printBuild+"=1", goVersion+"="+version,
		// A program with the race detector sleeps for a second when it ends, unless it is told not to.
		"GORACE=atexit_sleep_ms=0")
	return cmd
}

// goIsTest returns the argument that tells make to call the test binary in place of go.
func goIsTest(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return "GO=" + self
}

// builds returns the calls of "go build" that make makes.
func builds(t *testing.T, dir string, args ...string) []build {
	t.Helper()
	var all []build
	for line := range strings.Lines(makeIn(t, dir, append(args, goIsTest(t))...)) {
		var b build
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatalf("make %q prints %q: %v", args, line, err)
		}
		all = append(all, b)
	}
	return all
}

// command returns a command that runs in a folder with a minimal environment.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, name), args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + t.TempDir(),
		// Git accepts a tree of another user, and looks for no repository above the folder.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir),
	}
	return cmd
}
