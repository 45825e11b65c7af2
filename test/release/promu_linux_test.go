// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const root = "../.."

// promuConfig is the content of .promu.yml, as promu reads it.
type promuConfig struct {
	Go struct {
		Version string
		CGo     bool
	}
	Repository struct {
		Path string
	}
	Build struct {
		Binaries []struct {
			Name string
			Path string
		}
		Flags   string
		LDFlags string
		Static  bool
	}
	Tarball struct {
		Files []string
	}
	Crossbuild struct {
		Platforms []string
	}
}

func readPromu(t *testing.T) promuConfig {
	t.Helper()
	file, err := os.ReadFile(root + "/.promu.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c promuConfig
	c.Build.Static = true // the default
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// build returns the call of "go build" by which promu builds the binary into the folder prefix, without GOOS, GOARCH and
// GOARM.
func (c *promuConfig) build(t *testing.T, prefix, version, revision string) build {
	t.Helper()
	if len(c.Build.Binaries) != 1 {
		t.Fatalf("%d binaries, want one", len(c.Build.Binaries))
	}
	tmpl, err := template.New("ldflags").Parse(c.Build.LDFlags)
	if err != nil {
		t.Fatal(err)
	}
	var ldflags strings.Builder
	if err := tmpl.Execute(&ldflags, struct{ Version, Revision string }{version, revision}); err != nil {
		t.Fatal(err)
	}
	if c.Build.Static {
		ldflags.WriteString(" -extldflags '-static'")
	}
	binary := c.Build.Binaries[0]
	args := slices.Concat(
		[]string{"build", "-o", path.Join(prefix, binary.Name), "-ldflags", ldflags.String()},
		strings.Fields(c.Build.Flags),
		[]string{path.Join(c.Repository.Path, binary.Path)},
	)
	cgo := map[bool]string{false: "0", true: "1"}[c.Go.CGo]
	b, err := parseBuild(args, func(name string) string { return map[string]string{"CGO_ENABLED": cgo}[name] })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goMod returns the rest of the line of go.mod that begins with word.
func goMod(t *testing.T, word string) string {
	t.Helper()
	file, err := os.ReadFile(root + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("go.mod has no line for %s", word)
	return ""
}

// inFull returns a build by make with the import path of the package, which promu uses.
func inFull(t *testing.T, b build) build {
	t.Helper()
	b.Package = path.Join(goMod(t, "module"), b.Package)
	return b
}

func TestPromuBuild(t *testing.T) {
	c := readPromu(t)
	want := []build{c.build(t, ".", "1.2.3", "abc")}
	got := builds(t, root, "build", "VERSION=1.2.3", "REVISION=abc")
	for i := range got {
		got[i] = inFull(t, got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("make and promu build differently (-promu +make):\n%s", diff)
	}
}

func TestPromuGoVersion(t *testing.T) {
	if got, want := readPromu(t).Go.Version, goMod(t, "go"); !strings.HasPrefix(want+".", got+".") {
		t.Errorf("unexpected version of Go: got %s, want %s as in go.mod", got, want)
	}
}

// TestPromuPlatforms compares the cross-builds of make and promu. promu reads platforms as regular expressions.
func TestPromuPlatforms(t *testing.T) {
	c := readPromu(t)
	known := strings.Fields(`
		linux/386 linux/amd64 linux/arm64 linux/armv5 linux/armv6 linux/armv7 linux/loong64 linux/mips linux/mips64
		linux/mips64le linux/mipsle linux/ppc64 linux/ppc64le linux/riscv64 linux/s390x`)
	var want []build
	for _, expression := range c.Crossbuild.Platforms {
		re := regexp.MustCompile(expression)
		for _, platform := range known {
			if !re.MatchString(platform) {
				continue
			}
			goos, arch, _ := strings.Cut(platform, "/")
			b := c.build(t, ".build/"+goos+"-"+arch, "1.2.3", "abc")
			b.GOOS, b.GOARCH = goos, arch
			if version, ok := strings.CutPrefix(arch, "armv"); ok {
				b.GOARCH, b.GOARM = "arm", version
			}
			want = append(want, b)
		}
	}

	for _, arch := range withoutFloatingPoint() {
		b := c.build(t, ".build/linux-"+arch, "1.2.3", "abc")
		b.GOOS, b.GOARCH, b.GOMIPS = "linux", arch, "softfloat"
		want = append(want, b)
	}

	got := builds(t, root, "crossbuild", "VERSION=1.2.3", "REVISION=abc")
	for i := range got {
		got[i] = inFull(t, got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("make and promu cross-build differently (-promu +make):\n%s", diff)
	}
}

// withoutFloatingPoint returns processors that make builds for and promu does not: it can't leave out floating point.
func withoutFloatingPoint() []string { return []string{"mips", "mipsle", "mips64le"} }

// TestPromuTarball compares the files in the tarballs of make and promu.
func TestPromuTarball(t *testing.T) {
	var lists [][]string
	tarball := regexp.MustCompile(`(?s)\btar .*? \.build/linux-\S+/nflog_exporter ([^\n]*)\n`)
	for _, m := range tarball.FindAllStringSubmatch(makeIn(t, root, "--dry-run", "tarball"), -1) {
		lists = append(lists, strings.Fields(m[1]))
	}
	c := readPromu(t)
	if got, want := len(lists), len(c.Crossbuild.Platforms)+len(withoutFloatingPoint()); got != want {
		t.Errorf("unexpected number of tarballs: got %d, want %d", got, want)
	}
	for _, got := range lists {
		if diff := cmp.Diff(c.Tarball.Files, got); diff != "" {
			t.Errorf("unexpected files in a tarball (-promu +make):\n%s", diff)
		}
	}
}
