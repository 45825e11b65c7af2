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
	return valueParser[T]{
		allowed: fmt.Sprintf("%s to %s, written like 128, 128B or 64KiB", formatSize(uint64(lowest)), formatSize(uint64(highest))),
		parse: func(s string) (T, bool) {
			n, ok := parseSize(s)
			return T(n), ok && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func durationBetween(lowest, highest, step time.Duration) valueParser[time.Duration] {
	return valueParser[time.Duration]{
		allowed: fmt.Sprintf("a multiple of %v from %v to %v", step, lowest, highest),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && lowest <= d && d <= highest && d%step == 0
		},
	}
}

// timeoutOrNever takes 0s for never.
func timeoutOrNever() valueParser[time.Duration] {
	return valueParser[time.Duration]{
		allowed: fmt.Sprintf("0s for never, or a time from 1s to %v", maxTimeout),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && (d == 0 || time.Second <= d && d <= maxTimeout)
		},
	}
}

func oneOf(names ...string) valueParser[string] {
	return valueParser[string]{
		allowed: "one of " + strings.Join(names, ", "),
		parse:   func(s string) (string, bool) { return s, slices.Contains(names, s) },
	}
}

// listOf takes distinct values separated by commas, and an empty list.
func listOf[T comparable](p valueParser[T]) valueParser[[]T] {
	return valueParser[[]T]{
		allowed: "distinct values separated by commas, each " + p.allowed,
		parse: func(s string) (list []T, ok bool) {
			list = []T{} // not nil, which would stand for the default
			if s == "" {
				return list, true
			}
			for part := range strings.SplitSeq(s, ",") {
				t, ok := p.parse(part)
				if !ok || slices.Contains(list, t) {
					return nil, false
				}
				list = append(list, t)
			}
			return list, true
		},
	}
}
