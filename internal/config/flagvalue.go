// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// A FlagError reports a value that a flag can't have.
type FlagError struct {
	Flag  string // name, without dashes
	Value string
	Err   error // what is allowed, and what is wrong if that is not obvious
}

// Error implements error.
func (e *FlagError) Error() string {
	return fmt.Sprintf("--%s=%q: %v", e.Flag, e.Value, e.Err)
}

// Unwrap returns Err.
func (e *FlagError) Unwrap() error { return e.Err }

// A flagValue is a kingpin.Value. Its errors name the flag, which those of kingpin's own values often do not.
type flagValue[T any] struct {
	flag   string
	parser valueParser[T]
	target *T
}

// Set implements kingpin.Value.
func (v *flagValue[T]) Set(s string) error {
	t, ok := v.parser.parse(s)
	if !ok {
		return &FlagError{Flag: v.flag, Value: s, Err: errors.New(v.parser.must(s))}
	}
	*v.target = t
	return nil
}

// String implements kingpin.Value.
func (v *flagValue[T]) String() string { return fmt.Sprint(*v.target) }

// A listValue is a kingpin.Value that collects the distinct values of a repeatable flag.
type listValue[T comparable] struct {
	flag    string
	parser  valueParser[T]
	targets *[]T
}

// Set implements kingpin.Value.
func (v *listValue[T]) Set(s string) error {
	var t T
	if err := (&flagValue[T]{v.flag, v.parser, &t}).Set(s); err != nil {
		if flags := v.repeated(s); flags != "" {
			err = &FlagError{Flag: v.flag, Value: s, Err: fmt.Errorf("must be %s: repeat the flag, %s", v.parser.allowed, flags)}
		}
		return err
	}
	if slices.Contains(*v.targets, t) {
		return &FlagError{Flag: v.flag, Value: s, Err: errors.New("must not be given more than once")}
	}
	*v.targets = append(*v.targets, t)
	return nil
}

// repeated returns the flag once for each value if s lists several, else "".
func (v *listValue[T]) repeated(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
	if len(parts) < 2 {
		return ""
	}
	for i, part := range parts {
		if _, ok := v.parser.parse(part); !ok {
			return ""
		}
		parts[i] = "--" + v.flag + "=" + part
	}
	return strings.Join(parts, " ")
}

// String implements kingpin.Value.
func (v *listValue[T]) String() string { return fmt.Sprint(*v.targets) }

// IsCumulative tells kingpin that the flag is repeatable.
func (v *listValue[T]) IsCumulative() bool { return true }

// An invertedBool is a kingpin.Value of a switch that sets the opposite in its target.
type invertedBool bool

// Set implements kingpin.Value.
func (b *invertedBool) Set(s string) error {
	v, err := strconv.ParseBool(s)
	*b = invertedBool(!v)
	return err
}

// String implements kingpin.Value.
func (b *invertedBool) String() string { return strconv.FormatBool(!bool(*b)) }

// IsBoolFlag tells kingpin that the flag takes no value and can be negated.
func (b *invertedBool) IsBoolFlag() bool { return true }

func addFlag[T any](app *kingpin.Application, name, def, help string, p valueParser[T], target *T) {
	app.Flag(name, help).Default(def).SetValue(&flagValue[T]{name, p, target})
}

func addRepeatableFlag[T comparable](app *kingpin.Application, name, def, help string, p valueParser[T], targets *[]T) {
	app.Flag(name, help).Default(def).SetValue(&listValue[T]{name, p, targets})
}
