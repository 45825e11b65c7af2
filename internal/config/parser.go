// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A valueParser parses the text of a value, on the command line or in the configuration file.
type valueParser[T any] struct {
	allowed string // completes "must be"
	parse   func(string) (T, bool)

	// hint says of a text that parse does not take what is wrong with it, or how to write it. It returns "" if it does not
	// know. It can be nil.
	hint func(string) string
}

// must says what a text that parse does not take must be.
func (p valueParser[T]) must(s string) string {
	text := "must be " + p.allowed
	if p.hint == nil {
		return text
	}
	return text + asHint(p.hint(s))
}

func numberBetween[T ~int | ~uint16 | ~uint32](lowest, highest T) valueParser[T] {
	return valueParser[T]{
		allowed: fmt.Sprintf("a number from %d to %d", lowest, highest),
		parse: func(s string) (T, bool) {
			n, err := strconv.ParseUint(s, 10, 64)
			return T(n), err == nil && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func sizeBetween[T ~int | ~uint32](lowest, highest T) valueParser[T] {
	p := valueParser[T]{
		allowed: fmt.Sprintf("%s to %s, written like 128, 128B or 64KiB", formatSize(uint64(lowest)), formatSize(uint64(highest))),
		parse: func(s string) (T, bool) {
			n, ok := parseSize(s)
			return T(n), ok && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
	p.hint = func(s string) string { return firstAllowed(p, likelySizes(s)...) }
	return p
}

func durationBetween(lowest, highest, step time.Duration) valueParser[time.Duration] {
	p := valueParser[time.Duration]{
		allowed: fmt.Sprintf("a multiple of %v from %v to %v", step, lowest, highest),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && lowest <= d && d <= highest && d%step == 0
		},
	}
	p.hint = func(s string) string { return firstAllowed(p, likelyDurations(s, "ms")...) }
	return p
}

// timeoutOrNever takes 0s for never.
func timeoutOrNever() valueParser[time.Duration] {
	p := valueParser[time.Duration]{
		allowed: fmt.Sprintf("0s for never, or a time from 1s to %v", maxTimeout),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && (d == 0 || time.Second <= d && d <= maxTimeout)
		},
	}
	p.hint = func(s string) string { return firstAllowed(p, likelyDurations(s, "s")...) }
	return p
}

func oneOf(names ...string) valueParser[string] {
	return valueParser[string]{
		allowed: "one of " + strings.Join(names, ", "),
		parse:   func(s string) (string, bool) { return s, slices.Contains(names, s) },
		hint:    func(s string) string { return didYouMean(s, names) },
	}
}

// checked returns a parser of texts that check finds nothing wrong with.
func checked[T any](allowed string, check func(string) (t T, wrong string)) valueParser[T] {
	return valueParser[T]{
		allowed: allowed,
		parse: func(s string) (T, bool) {
			t, wrong := check(s)
			return t, wrong == ""
		},
		hint: func(s string) string {
			_, wrong := check(s)
			return wrong
		},
	}
}

// listOf takes distinct values separated by commas, and an empty list.
func listOf[T comparable](p valueParser[T]) valueParser[[]T] {
	return checked("distinct values separated by commas, each "+p.allowed, func(s string) (list []T, wrong string) {
		list = []T{} // not nil, which would stand for the default
		if s == "" {
			return list, ""
		}
		for part := range strings.SplitSeq(s, ",") {
			t, ok := p.parse(part)
			switch {
			case ok && slices.Contains(list, t):
				return nil, fmt.Sprintf("%q is given more than once", part)
			case ok:
				list = append(list, t)
			case part == "":
				return nil, "one value is empty"
			default:
				return nil, wrongItem(p, part)
			}
		}
		return list, ""
	})
}

// wrongItem says which item of a list p does not take, and what to write instead.
func wrongItem[T any](p valueParser[T], item string) string {
	text := fmt.Sprintf("%.100q is wrong", item)
	hint := firstAllowed(p, withoutSpace(item))
	if hint == "" && p.hint != nil {
		hint = p.hint(item)
	}
	if hint == "" {
		return text
	}
	return text + ", " + hint
}

// labelList takes a list of these labels, but no empty one: that is what an unset variable makes.
func labelList(names ...string) valueParser[[]string] {
	list := listOf(oneOf(names...))
	return checked(list.allowed, func(s string) ([]string, string) {
		if s == "" {
			return nil, "write group to keep that label alone"
		}
		labels, ok := list.parse(s)
		if !ok {
			return nil, list.hint(s)
		}
		return labels, ""
	})
}
