// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Testsummary runs go test in one or more modules, prints what go test prints, and at the end how many tests were
// skipped and why:
//
//	go run ./tools/testsummary -in . -in test/gonflog go test ./...
//
// Its exit status is that of the first go test that fails. It adds -json to the arguments of go test.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
)

func main() {
	var dirs []string
	flag.Func("in", "folder of a module to run go test in; repeatable (default: the current folder)", func(dir string) error {
		dirs = append(dirs, dir)
		return nil
	})
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: testsummary [-in FOLDER]... go test [ARGUMENT]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	if flag.NArg() < 2 || flag.Arg(1) != "test" {
		flag.Usage()
		os.Exit(2)
	}

	// An interrupt from the terminal also reaches go test. Print the summary when that has ended.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)

	status, err := run(dirs, slices.Insert(flag.Args(), 2, "-json"), os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testsummary: %v\n", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// run runs a command that prints the events of go test -json in each of the folders, and reports them. It returns the
// exit status of the first command that fails. Commands and reports write to stderr at the same time, so it is a file.
func run(dirs, command []string, stdout io.Writer, stderr *os.File) (status int, err error) {
	r := newReport(stdout, stderr)
	for _, dir := range dirs {
		s, err := runIn(dir, command, r, stderr)
		if err != nil {
			return 0, err
		}
		if status == 0 {
			status = s
		}
	}
	return status, r.summary()
}

func runIn(dir string, command []string, r *report, stderr *os.File) (status int, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	readErr := r.read(stdout)
	if readErr != nil {
		_, _ = io.Copy(io.Discard, stdout) // so that the command ends
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, errors.Join(readErr, err)
	}
	if readErr == nil {
		_, readErr = fmt.Fprintln(r.stdout, "FAIL") // as go test does
	}
	return max(exit.ExitCode(), 1), readErr // a signal makes it -1
}
