// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Names of the readers.
const (
	readerExporter   = "exporter"
	readerC          = "c"
	readerFast       = "fast"
	readerCompatible = "compatible"
	readerGoNFLOG    = "go-nflog"
)

// readerNames are all readers, in the order of the table.
var readerNames = []string{readerExporter, readerC, readerFast, readerCompatible, readerGoNFLOG}

// goPrograms are the directories, in the tree, of the readers that are made of a
// library for Go. That of go-nflog belongs to another module.
var goPrograms = map[string]string{
	readerFast:       "tools/bench/fast",
	readerCompatible: "tools/bench/compatible",
	readerGoNFLOG:    "test/gonflog/reader",
}

//go:embed creader.c
var creaderSource []byte

// reader is a program that reads the group.
type reader struct {
	name    string
	command []string
	// scraped says that the reader serves its counters on scrapeAddress. One
	// that isn't prints its count when it ends.
	scraped bool
}

// newReader prepares the reader of that name; dir is for what it builds.
func newReader(ctx context.Context, name string, exporter []string, dir string) (reader, error) {
	out := filepath.Join(dir, name)
	switch name {
	case readerExporter:
		path, err := exec.LookPath(exporter[0])
		if err != nil {
			return reader{}, fmt.Errorf("no exporter in %s: build it with `go build -o nflog_exporter .`, or name it with -exporter", exporter[0])
		}
		return reader{name: name, command: append([]string{path}, exporter[1:]...), scraped: true}, nil
	case readerC:
		return reader{name: name, command: []string{out, strconv.Itoa(group)}}, buildC(ctx, creaderSource, out)
	default:
		return reader{name: name, command: []string{out}}, buildGo(ctx, goPrograms[name], out)
	}
}

// buildC compiles the C reader.
func buildC(ctx context.Context, source []byte, out string) error {
	const cure = "apt-get install gcc libnetfilter-log-dev, or leave the C reader out of -readers"
	cc, err := exec.LookPath("cc")
	if err != nil {
		return fmt.Errorf("no C compiler: %s", cure)
	}
	in := out + ".c"
	if err := os.WriteFile(in, source, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, cc, "-O2", "-o", out, in, "-lnetfilter_log", "-lnfnetlink")
	if output, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
		return fmt.Errorf("cc: %s (%w): %s", first, err, cure)
	}
	return nil
}

// buildGo compiles the program in a directory of the tree.
func buildGo(ctx context.Context, source, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-C", source, "-buildvcs=false", "-o", out, ".")
	// As the exporter is built.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s (%w): %s: run bench in the root of the tree, with go in PATH", source, err, bytes.TrimSpace(output))
	}
	return nil
}
