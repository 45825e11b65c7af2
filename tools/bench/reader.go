// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
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

// Sources of readers, relative to the root of the tree.
const (
	fastSource       = "tools/bench/fast"
	compatibleSource = "tools/bench/compatible"
	gonflogModule    = "test/gonflog" // the module that requires go-nflog
)

//go:embed creader.c
var creaderSource []byte

// A reader is a program that reads the group.
type reader struct {
	name    string
	command []string
	// scraped says that the reader serves its counters on scrapeAddress. Any
	// other reader prints its count when it ends.
	scraped bool
}

// newReader builds the reader of that name into dir.
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
	case readerFast:
		return reader{name: name, command: []string{out}}, buildGo(ctx, fastSource, ".", out)
	case readerCompatible:
		return reader{name: name, command: []string{out}}, buildGo(ctx, compatibleSource, ".", out)
	default:
		return reader{name: name, command: []string{out}}, buildGoNFLOG(ctx, out)
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

// buildGo compiles a program with the module of a directory of the tree. The program is a file, or a package of that module.
func buildGo(ctx context.Context, dir, program, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-C", dir, "-buildvcs=false", "-o", out, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as the exporter is built
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s (%w): %s: run bench in the root of the tree, with go in PATH", dir, err, bytes.TrimSpace(output))
	}
	return nil
}

// buildGoNFLOG compiles the compatible reader with go-nflog in the place of package nflog. The programs differ in one
// import path alone.
func buildGoNFLOG(ctx context.Context, out string) error {
	const ours, theirs = `"github.com/nflog-exporter/nflog_exporter/nflog"`, `"github.com/florianl/go-nflog/v2"`
	source, err := os.ReadFile(filepath.Join(compatibleSource, "main.go"))
	if err != nil {
		return fmt.Errorf("%w: run bench in the root of the tree", err)
	}
	if bytes.Count(source, []byte(ours)) != 1 {
		return errors.New("the compatible reader does not import " + ours + " once")
	}
	program := out + ".go"
	if err := os.WriteFile(program, bytes.Replace(source, []byte(ours), []byte(theirs), 1), 0o600); err != nil {
		return err
	}
	return buildGo(ctx, gonflogModule, program, out)
}
