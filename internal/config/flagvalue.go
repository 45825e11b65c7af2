// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kingpin/v2"
)

// FlagError says what is wrong with the value of a flag.
type FlagError struct {
	Flag  string // without dashes
	Value string
	Err   error // what is allowed, and what is wrong where that isn't plain
}

// Error implements error.
func (e *FlagError) Error() string {
	return fmt.Sprintf("--%s=%q: %v", e.Flag, e.Value, e.Err)
}

// Unwrap returns what is wrong with the value.
func (e *FlagError) Unwrap() error { return e.Err }

// domain is a set of values that a flag can take.
type domain[T any] struct {
	allowed string // continues "must be"
	parse   func(string) (T, bool)
}

func numberBetween[T ~int | ~uint16 | ~uint32](lowest, highest T) domain[T] {
	return domain[T]{
		allowed: fmt.Sprintf("a number from %d to %d", lowest, highest),
		parse: func(s string) (T, bool) {
			n, err := strconv.ParseUint(s, 10, 64)
			return T(n), err == nil && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func sizeBetween[T ~int | ~uint32](lowest, highest T) domain[T] {
	return domain[T]{
		allowed: fmt.Sprintf("%s to %s, written like 128, 128B or 64KiB", formatSize(uint64(lowest)), formatSize(uint64(highest))),
		parse: func(s string) (T, bool) {
			n, ok := parseSize(s)
			return T(n), ok && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func durationBetween(lowest, highest, step time.Duration) domain[time.Duration] {
	return domain[time.Duration]{
		allowed: fmt.Sprintf("a multiple of %v from %v to %v", step, lowest, highest),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && lowest <= d && d <= highest && d%step == 0
		},
	}
}

func oneOf(names ...string) domain[string] {
	return domain[string]{
		allowed: "one of " + strings.Join(names, ", "),
		parse:   func(s string) (string, bool) { return s, slices.Contains(names, s) },
	}
}

// ownNamespace is what the exporter's own network namespace is called.
const ownNamespace = "own"

// namespaces allows network namespaces.
func namespaces() domain[string] {
	return domain[string]{
		allowed: "own, a name under /run/netns, or a path that begins with /",
		parse: func(s string) (string, bool) {
			if s == ownNamespace {
				return "", true
			}
			isName := s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
			return s, (isName || path.IsAbs(s)) && utf8.ValidString(s)
		},
	}
}

// telemetryPath allows what is the same path on a command line, in a URL and
// in a pattern of http.ServeMux, and is not the exporter's own.
func telemetryPath() domain[string] {
	valid := regexp.MustCompile(`^/([A-Za-z0-9._~-]+/?)*$`)
	return domain[string]{
		allowed: "/ or a path like /metrics, of letters, digits and -._~ between single slashes, outside /-/",
		parse: func(s string) (string, bool) {
			clean := path.Clean(s) == s || path.Clean(s)+"/" == s
			return s, clean && valid.MatchString(s) && !strings.HasPrefix(s, "/-/")
		},
	}
}

// value is a kingpin.Value over a domain. Its errors name the flag, which
// those of kingpin's own values often do not.
type value[T any] struct {
	flag   string
	domain domain[T]
	target *T
}

// Set implements kingpin.Value.
func (v *value[T]) Set(s string) error {
	t, ok := v.domain.parse(s)
	if !ok {
		return &FlagError{Flag: v.flag, Value: s, Err: errors.New("must be " + v.domain.allowed)}
	}
	*v.target = t
	return nil
}

// String implements kingpin.Value.
func (v *value[T]) String() string { return fmt.Sprint(*v.target) }

// distinctValues is a kingpin.Value that collects those of a flag that can be
// given more than once.
type distinctValues[T comparable] struct {
	flag    string
	domain  domain[T]
	targets *[]T
}

// Set implements kingpin.Value.
func (v *distinctValues[T]) Set(s string) error {
	var t T
	if err := (&value[T]{v.flag, v.domain, &t}).Set(s); err != nil {
		return err
	}
	if slices.Contains(*v.targets, t) {
		return &FlagError{Flag: v.flag, Value: s, Err: errors.New("must not be given more than once")}
	}
	*v.targets = append(*v.targets, t)
	return nil
}

// String implements kingpin.Value.
func (v *distinctValues[T]) String() string { return fmt.Sprint(*v.targets) }

// IsCumulative tells kingpin that the flag may be repeated.
func (v *distinctValues[T]) IsCumulative() bool { return true }

func addFlag[T any](app *kingpin.Application, name, def, help string, d domain[T], target *T) {
	app.Flag(name, help).Default(def).SetValue(&value[T]{name, d, target})
}

func addRepeatableFlag[T comparable](app *kingpin.Application, name, def, help string, d domain[T], targets *[]T) {
	app.Flag(name, help).Default(def).SetValue(&distinctValues[T]{name, d, targets})
}

const (
	kibibyte = 1 << 10
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// parseSize reads a size in bytes, KiB, MiB or GiB.
func parseSize(s string) (uint64, bool) {
	digits := strings.TrimRight(s, "BiKMG")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, false
	}
	switch s[len(digits):] {
	case "", "B":
		return n, true
	case "KiB":
		return n * kibibyte, true
	case "MiB":
		return n * mebibyte, true
	case "GiB":
		return n * gibibyte, true
	}
	return 0, false
}

// formatSize writes a size in the largest unit that needs no fraction.
func formatSize(n uint64) string {
	switch {
	case n%gibibyte == 0:
		return fmt.Sprintf("%dGiB", n/gibibyte)
	case n%mebibyte == 0:
		return fmt.Sprintf("%dMiB", n/mebibyte)
	case n%kibibyte == 0:
		return fmt.Sprintf("%dKiB", n/kibibyte)
	}
	return fmt.Sprintf("%dB", n)
}
