// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// The lengths of the longest prefix and of the longest name of an interface, in bytes: NF_LOG_PREFIXLEN and IFNAMSIZ without
// the final zero byte.
const (
	MaxPrefix    = 127
	MaxInterface = 15
)

// An alphabet is what the kernel allows in a text that an expression is matched with.
type alphabet struct {
	longest  int    // bytes
	excluded string // characters that it never has
	notLast  string // characters that it never ends with
	what     string // completes "no"
}

var (
	// White space at the end of a prefix is cut before.
	prefixes = alphabet{longest: MaxPrefix, excluded: "\x00", notLast: asciiSpace, what: "prefix"}

	// dev_valid_name, net/core/dev.c
	interfaceNames = alphabet{longest: MaxInterface, excluded: "\x00/:" + asciiSpace, what: "interface name"}
)

// warning returns why an expression that compiles can match nothing, or not what its author is likely to mean. It returns ""
// if there is nothing to say.
func (a alphabet) warning(match string) string {
	switch {
	case strings.ContainsFunc(match, unprintable):
		return "has a control character: in YAML, write expressions in single quotes"
	case strings.ContainsAny(match, "“”„‘’"):
		return "has typographic quotes, which are part of the expression"
	}
	if text := a.never(match); text != "" {
		return text
	}
	if isGlob(match) {
		return "* repeats the character before it: write .* for any text"
	}
	return ""
}

// maxProgram is the size of the largest program that is examined. Repetitions can make one of a million instructions.
const maxProgram = 20_000

// never says why the expression matches no text of the alphabet, or returns "" if it may match one.
func (a alphabet) never(match string) string {
	parsed, err := syntax.Parse(match, syntax.Perl|syntax.DotNL)
	if err != nil {
		return ""
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(prog.Inst) > maxProgram {
		return ""
	}
	end := a
	end.notLast = ""
	switch shortest, ok := a.shortest(prog); {
	case ok && shortest > a.longest:
		return fmt.Sprintf("can match nothing: no %s has more than %d bytes", a.what, a.longest)
	case ok:
		return ""
	}
	if _, ok := end.shortest(prog); ok {
		return fmt.Sprintf("can match nothing: white space at the end of a %s is cut before", a.what)
	}
	return fmt.Sprintf("can match nothing: no %s has such characters", a.what)
}

// A walk is at an instruction of a program.
type walk struct {
	pc    uint32
	atEnd bool // whether the text may end here, by its last character
}

// shortest returns the least number of characters of a text that the program matches, and whether there is one. It takes all
// assertions to hold, so there may be no such text all the same.
func (a alphabet) shortest(prog *syntax.Prog) (length int, ok bool) {
	seen := make(map[walk]bool)
	now := []walk{{uint32(prog.Start), true}}
	for length := 0; len(now) > 0; length++ {
		var next []walk
		for len(now) > 0 {
			w := now[len(now)-1]
			now = now[:len(now)-1]
			if seen[w] {
				continue
			}
			seen[w] = true
			switch inst := &prog.Inst[w.pc]; inst.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				now = append(now, walk{inst.Out, w.atEnd}, walk{inst.Arg, w.atEnd})
			case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
				now = append(now, walk{inst.Out, w.atEnd})
			case syntax.InstMatch:
				if w.atEnd {
					return length, true
				}
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				if takesOther(inst, a.excluded+a.notLast) {
					next = append(next, walk{inst.Out, true})
				}
				if takesOther(inst, a.excluded) {
					next = append(next, walk{inst.Out, a.notLast == ""})
				}
			}
		}
		now = next
	}
	return 0, false
}

// takesOther reports whether an instruction takes a character that is not among these.
func takesOther(inst *syntax.Inst, these string) bool {
	if inst.Op == syntax.InstRuneAny || inst.Op == syntax.InstRuneAnyNotNL {
		return true
	}
	runes := inst.Rune
	if len(runes) == 1 {
		runes = []rune{runes[0], runes[0]} // other cases of a letter are no better or worse
	}
	for i := 0; i+1 < len(runes); i += 2 {
		for r := runes[i]; r <= runes[i+1]; r++ {
			if !strings.ContainsRune(these, r) {
				return true
			}
		}
	}
	return false
}

var (
	starred = regexp.MustCompile(`[\pL\pN_:-]\*| \*$`)
	special = regexp.MustCompile(`[\\.^$+?(){}\[\]]`)
)

// isGlob reports whether an expression looks like a pattern of a shell, in which * stands for any text.
func isGlob(match string) bool {
	return starred.MatchString(match) && !special.MatchString(match)
}
