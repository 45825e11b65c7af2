// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A testPackage holds the output of a package until its tests have ended.
type testPackage struct {
	tests map[string]*test // by name; "" is the package itself, with the top-level tests as subtests
}

// A test holds the output of a test.
type test struct {
	name   string
	depth  int // 0 for a top-level test
	items  []item
	ended  bool
	failed bool
}

// An item is a line of output, or a subtest at the place where it ended.
type item struct {
	line string
	sub  *test
}

func newTestPackage() *testPackage {
	return &testPackage{tests: map[string]*test{"": {depth: -1}}}
}

// test returns the test called name, which is new with its first event.
func (p *testPackage) test(name string) *test {
	t := p.tests[name]
	if t == nil {
		t = &test{name: name, depth: p.parent(name).depth + 1}
		p.tests[name] = t
	}
	return t
}

// parent returns the test with a subtest called name. As the subtest's own name may have slashes, the parent's name may
// end before the last one.
func (p *testPackage) parent(name string) *test {
	for {
		name = name[:max(0, strings.LastIndexByte(name, '/'))]
		if t, ok := p.tests[name]; ok {
			return t
		}
	}
}

// end takes the result of a test, and has it printed where it ended.
func (p *testPackage) end(name string, failed bool) {
	t := p.test(name)
	t.ended, t.failed = true, failed
	parent := p.parent(name)
	parent.items = append(parent.items, item{sub: t})
}

// text returns what go test prints of a package: of one that passes the last line alone.
func (p *testPackage) text(failed bool) string {
	root := p.test("")
	if !failed {
		if len(root.items) == 0 {
			return ""
		}
		return root.items[len(root.items)-1].line
	}
	root.failed = true
	var unended strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		if t := p.tests[name]; t != root && !t.ended {
			t.failed = true // The process ended during the test.
			unended.WriteString(t.text())
		}
	}
	return unended.String() + root.text()
}

// output adds output to the test. A line may come in parts.
func (t *test) output(text string) {
	if n := len(t.items); n > 0 && t.items[n-1].sub == nil && !strings.HasSuffix(t.items[n-1].line, "\n") {
		t.items[n-1].line += text
		return
	}
	t.items = append(t.items, item{line: text})
}

const indent = "    "

// text returns the output of a test as go test prints it without -v: the log after the result, and indented by the depth
// of the test. Of a test that passes this is only what it writes to standard output itself.
func (t *test) text() string {
	var result, log strings.Builder
	deeper := strings.Repeat(indent, max(0, t.depth))
	for _, i := range t.items {
		switch {
		case i.sub != nil:
			log.WriteString(i.sub.text())
		case strings.HasPrefix(i.line, "=== "):
		case t.isResult(i.line):
			if t.failed {
				result.WriteString(deeper + i.line)
			}
		case !strings.HasPrefix(i.line, indent):
			log.WriteString(i.line)
		case t.failed:
			log.WriteString(deeper + i.line)
		}
	}
	return result.String() + log.String()
}

// isResult reports whether a line is the test's own, such as "--- FAIL: TestA/b (0.00s)".
func (t *test) isResult(line string) bool {
	rest, ok := strings.CutPrefix(line, "--- ")
	return ok && strings.HasPrefix(rest[min(len("FAIL"), len(rest)):], ": "+t.name+" (")
}

var logLine = regexp.MustCompile(`^ {4}\S+:\d+: (.*)\n`)

// skipReason returns the first line of the test's last log message, which is that of t.Skip.
func (t *test) skipReason() string {
	for _, i := range slices.Backward(t.items) {
		if m := logLine.FindStringSubmatch(i.line); m != nil {
			return m[1]
		}
	}
	return "without a reason"
}
