// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	cureTab    = "indent with spaces, not with tabs"
	cureColumn = "what belongs together must begin in the same column"
	cureItems  = `begin each item of a list with "- "`
)

// noBlank matches what should be a key with its value, without the blank after the colon. YAML takes it for text.
var noBlank = regexp.MustCompile(`^\s*(?:- +)?([a-z_]+)[:=](\S.*?)\s*$`)

// syntaxCure returns how to mend what the YAML library does not take, as its message says, at a place in the file. It returns
// "" if it does not know.
func syntaxCure(message string, data []byte, line, column int) string {
	lines := strings.Split(string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	before, after := splitAt(lines[line-1], column)
	has := func(s string) bool { return strings.Contains(message, s) }
	switch {
	case has("tab character"), has("cannot start any token") && strings.HasPrefix(after, "\t"):
		return cureTab
	case has("cannot start any token"):
		return quoteValue(after)
	case has("expected comment or line break"):
		return quoteValue(strings.TrimLeft(valueIn(before), " "))
	case has("unknown anchor"):
		return quoteValue("*")
	case has("unknown escape character"):
		return `write expressions in single quotes, where \ stands for itself`
	case has("unexpected end of stream"):
		return "a quote is not closed"
	case has("mapping values are not allowed") && strings.Contains(before, ": "):
		return `put a value that has ": " into quotes`
	case has("mapping values are not allowed"), has("could not find expected ':'"):
		return keyCure(lines[:line])
	case has("did not find expected key"):
		return afterCure(before)
	case has("did not find expected '-' indicator"):
		return cureColumn
	}
	return ""
}

// splitAt splits a line before the character in a column, which counts from 1.
func splitAt(line string, column int) (before, after string) {
	characters := []rune(line)
	at := min(max(column-1, 0), len(characters))
	return string(characters[:at]), string(characters[at:])
}

// valueIn returns what follows the key in a line.
func valueIn(line string) string {
	_, value, _ := strings.Cut(line, ":")
	return value
}

// quoteValue says to quote a value, which has a special meaning by its first character.
func quoteValue(value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("put a value that begins with %s into quotes", printable(string([]rune(value)[:1])))
}

// keyCure returns the cure for a key where none is expected. The cause is in the last of these lines, or before.
func keyCure(lines []string) string {
	for i, line := range slices.Backward(lines) {
		if cure := blankCure(line); cure != "" {
			return fmt.Sprintf("%s in line %d", cure, i+1)
		}
		if strings.Contains(line, ": ") && i < len(lines)-1 {
			break
		}
	}
	return cureColumn
}

// blankCure says to write a blank after the colon if a text looks like a key with its value.
func blankCure(text string) string {
	m := noBlank.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return fmt.Sprintf(`write a blank after the colon, "%.30s: %.60s",`, m[1], printable(m[2]))
}

// printable returns text as it is between quotes.
func printable(s string) string {
	q := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// afterCure returns the cure for text that follows a value in a line, which is before.
func afterCure(before string) string {
	before = strings.TrimRight(before, " ")
	switch {
	case strings.HasSuffix(before, "'"):
		return "text follows a closing quote, write '' for a single quote between single quotes"
	case strings.HasSuffix(before, `"`):
		return `text follows a closing quote, write \" for a double quote between double quotes`
	case strings.HasSuffix(before, "]"), strings.HasSuffix(before, "}"):
		return quoteValue(strings.TrimLeft(valueIn(before), " "))
	}
	return cureColumn
}

// nodeCure returns the cure for a text where a mapping is expected, or "".
func nodeCure(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return ""
	}
	return strings.TrimSuffix(blankCure(n.Value), ",")
}

// textCure returns the cure for a value that should be text but begins with a bracket, or "". The parameter allowed says what
// the text must be.
func textCure(n *yaml.Node, allowed string) string {
	if n.Style&yaml.FlowStyle == 0 || allowed != expressionAllowed && allowed != templateAllowed {
		return ""
	}
	if n.Kind == yaml.SequenceNode {
		return quoteValue("[")
	}
	return quoteValue("{")
}
