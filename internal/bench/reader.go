// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
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
	readerExporter = "exporter"
	readerC        = "c"
	readerPeer     = "peer"
)

//go:embed creader.c
var creaderSource []byte

// reader is a program that reads the group.
type reader struct {
	name    string
	command []string
	// scraped says that the reader serves its counters on listenAddress. One
	// that isn't prints its count when it ends.
	scraped bool
}

// newReader prepares the reader of that name; dir is for what it needs.
func newReader(ctx context.Context, name string, exporter []string, dir string) (reader, error) {
	switch name {
	case readerExporter:
		path, err := exec.LookPath(exporter[0])
		if err != nil {
			return reader{}, fmt.Errorf("no exporter in %s: build it with `go build -o nflog_exporter .`, or name it with -exporter", exporter[0])
		}
		return reader{name: name, command: append([]string{path}, exporter[1:]...), scraped: true}, nil
	case readerC:
		path, err := compile(ctx, creaderSource, dir)
		return reader{name: name, command: []string{path, strconv.Itoa(group)}}, err
	default:
		path, err := os.Executable()
		return reader{name: name, command: []string{path, commandPeer}, scraped: true}, err
	}
}

// compile compiles the C reader into dir and returns its path.
func compile(ctx context.Context, source []byte, dir string) (string, error) {
	const cure = "apt-get install gcc libnetfilter-log-dev, or leave the C reader out with -readers exporter,peer"
	cc, err := exec.LookPath("cc")
	if err != nil {
		return "", fmt.Errorf("no C compiler: %s", cure)
	}
	in, out := filepath.Join(dir, "creader.c"), filepath.Join(dir, "creader")
	if err := os.WriteFile(in, source, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, cc, "-O2", "-o", out, in, "-lnetfilter_log", "-lnfnetlink")
	if output, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
		return "", fmt.Errorf("cc: %s (%w): %s", first, err, cure)
	}
	return out, nil
}
