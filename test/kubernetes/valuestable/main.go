// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command valuestable writes a table of a Helm chart's values into the chart's README.md, between
// the lines <!-- values --> and <!-- /values -->:
//
//	go run ./valuestable CHART
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/nflog-exporter/nflog_exporter/test/kubernetes/chartvalues"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: valuestable CHART")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "valuestable:", err)
		os.Exit(1)
	}
}

func run(chart string) error {
	values, err := chartvalues.Read(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return err
	}
	table, err := render(values)
	if err != nil {
		return err
	}
	file := filepath.Join(chart, "README.md")
	readme, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := replace(string(readme), table)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// render returns the table. It returns an error for a value without a comment.
func render(values []chartvalues.Value) (string, error) {
	var b strings.Builder
	b.WriteString("| value | default | meaning |\n|---|---|---|\n")
	for _, v := range values {
		if v.Comment == "" {
			return "", fmt.Errorf("values.yaml: %s has no comment", v.Path)
		}
		def, err := inLine(v.Default)
		if err != nil {
			return "", fmt.Errorf("%s: %w", v.Path, err)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", v.Path, cell(def), cell(v.Comment))
	}
	return b.String(), nil
}

// cell escapes a text for a cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// inLine returns YAML without line breaks and comments.
func inLine(node *yaml.Node) (string, error) {
	out, err := yaml.Dump(flow(node), yaml.WithLineWidth(-1))
	return strings.TrimSpace(string(out)), err
}

// flow returns a copy of a node in flow style, without comments.
func flow(node *yaml.Node) *yaml.Node {
	n := *node
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	n.Content = nil
	if n.Kind != yaml.ScalarNode {
		n.Style = yaml.FlowStyle
	}
	for _, c := range node.Content {
		n.Content = append(n.Content, flow(c))
	}
	return &n
}

// replace replaces the table in a text.
func replace(text, table string) (string, error) {
	const begin, end = "<!-- values -->\n", "<!-- /values -->\n"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("no place for the table: add the lines %s and %s", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after, nil
}
