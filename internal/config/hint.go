// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// asHint returns what to append to a message for a hint, which can be empty.
func asHint(hint string) string {
	if hint == "" {
		return ""
	}
	return ": " + hint
}

// firstAllowed is a hint to write the first of some spellings that p takes.
func firstAllowed[T any](p valueParser[T], spellings ...string) string {
	for _, s := range spellings {
		if _, ok := p.parse(s); ok {
			return "write " + s
		}
	}
	return ""
}

// withoutSpace returns s without white space, quotes and their like.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '"' || r == '\'' {
			return -1
		}
		return r
	}, s)
}

var durationWithUnit = regexp.MustCompile(`^(\d{1,6})(ms|mil|s|m|h|d|w)[a-z]*$`)

// likelyDurations returns what s may stand for as a duration. A number alone gets the unit.
func likelyDurations(s, unit string) []string {
	s = strings.ToLower(withoutSpace(s))
	spellings := []string{s, s + unit}
	m := durationWithUnit.FindStringSubmatch(s)
	if m == nil {
		return spellings
	}
	switch n, _ := strconv.Atoi(m[1]); m[2] {
	case "w":
		return append(spellings, fmt.Sprintf("%dh", n*7*24))
	case "d":
		return append(spellings, fmt.Sprintf("%dh", n*24))
	case "mil":
		return append(spellings, m[1]+"ms")
	}
	return append(spellings, m[1]+m[2])
}

var sizeWithUnit = regexp.MustCompile(`^(?i)(\d+)(?:([kmg])i?b?|b|bytes?)$`)

// likelySizes returns what s may stand for as a size. 16M and 16MB stand for 16MiB.
func likelySizes(s string) []string {
	s = withoutSpace(s)
	spellings := []string{s}
	if m := sizeWithUnit.FindStringSubmatch(s); m != nil {
		unit := "B"
		if m[2] != "" {
			unit = strings.ToUpper(m[2]) + "iB"
		}
		spellings = append(spellings, m[1]+unit)
	}
	return spellings
}

// didYouMean is a hint at the name that is most like s, if one is.
func didYouMean(s string, names []string) string {
	if name := closest(s, names); name != "" {
		return "did you mean " + name + "?"
	}
	return ""
}

// minBeginning is how long a text must be that is compared with the beginnings of names.
const minBeginning = 3

// closest returns the name that is most like s, or "" if none is.
func closest(s string, names []string) string {
	// A third of the characters may differ.
	folded := foldName(s)
	best, least := "", len(folded)/3+1
	for _, name := range names {
		if d := editDistance(folded, foldName(name)); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	// One may be the beginning of the other, if only of one.
	for _, name := range names {
		if len(s) < minBeginning || !strings.HasPrefix(name, s) && !strings.HasPrefix(s, name) {
			continue
		}
		if best != "" {
			return ""
		}
		best = name
	}
	return best
}

// foldName makes names equal that differ in case or in how they part words.
func foldName(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(s))
}

// maxCompared is the length of the longest text that is compared with names: all names are shorter.
const maxCompared = 64

// editDistance returns how many characters must be inserted, deleted or replaced to make b of a.
func editDistance(a, b string) int {
	if len(a) > maxCompared || len(b) > maxCompared {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
