// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// An event is a line of go test -json, as go doc test2json describes it.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// A report prints the events of go test -json as go test without -v and -json would, and collects skipped tests.
type report struct {
	stdout, stderr io.Writer
	packages       map[string]*testPackage
	skipped        map[string]int // tests by the reason that they gave
}

func newReport(stdout, stderr io.Writer) *report {
	return &report{stdout: stdout, stderr: stderr, packages: make(map[string]*testPackage), skipped: make(map[string]int)}
}

// read reads events up to the end of r.
func (r *report) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := r.line(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line []byte) error {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		_, err := r.stdout.Write(line)
		return err
	}
	return r.event(e)
}

func (r *report) event(e event) error {
	if e.Action == "build-output" {
		_, err := io.WriteString(r.stderr, e.Output)
		return err
	}
	if e.Package == "" {
		return nil
	}
	p := r.packages[e.Package]
	if p == nil {
		p = newTestPackage()
		r.packages[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.test(e.Test).output(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			delete(r.packages, e.Package)
			_, err := io.WriteString(r.stdout, p.text(e.Action == "fail"))
			return err
		}
		if e.Action == "skip" {
			r.skipped[p.test(e.Test).skipReason()]++
		}
		p.end(e.Test, e.Action == "fail")
	}
	return nil
}

// elsewhere begins the reason of a test that .ci/kernels runs on other kernels (kerneltest.SkipKernel).
const elsewhere = "left to .ci/kernels: "

// summary prints the number of skipped tests by reason, the most frequent first. Tests that are left to other kernels follow,
// and do not count as skipped.
func (r *report) summary() error {
	left := make(map[string]int)
	for reason, n := range r.skipped {
		if strings.HasPrefix(reason, elsewhere) {
			left[reason] = n
			delete(r.skipped, reason)
		}
	}
	if len(r.skipped) == 0 {
		if _, err := fmt.Fprintln(r.stdout, "0 skipped"); err != nil {
			return err
		}
	}
	return errors.Join(r.list("skipped: ", r.skipped), r.list("", left))
}

// list prints the number of tests by reason, the most frequent first.
func (r *report) list(what string, tests map[string]int) error {
	reasons := slices.SortedFunc(maps.Keys(tests), func(a, b string) int {
		return cmp.Or(cmp.Compare(tests[b], tests[a]), strings.Compare(a, b))
	})
	for _, reason := range reasons {
		if _, err := fmt.Fprintf(r.stdout, "%d %s%s\n", tests[reason], what, reason); err != nil {
			return err
		}
	}
	return nil
}
