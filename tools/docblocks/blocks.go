// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// A block is a fenced code block of a page in Markdown.
type block struct {
	Line     int    // of the opening fence
	Heading  string // the last one before the block, "" if there is none
	Language string
	Text     string
}

const fence = "```"

// blocks returns the code blocks of a page, and all of its headings.
func blocks(page string) (all []block, headings []string, err error) {
	var (
		current *block
		indent  string // of the current block
		number  int
	)
	for line := range strings.Lines(page) {
		number++
		trimmed := strings.TrimSpace(line)
		switch {
		case current == nil && strings.HasPrefix(trimmed, fence):
			indent, _, _ = strings.Cut(line, fence)
			current = &block{Line: number, Language: strings.TrimPrefix(trimmed, fence)}
			if len(headings) > 0 {
				current.Heading = headings[len(headings)-1]
			}
		case current == nil && strings.HasPrefix(line, "#"):
			if heading, ok := strings.CutPrefix(strings.TrimLeft(trimmed, "#"), " "); ok {
				headings = append(headings, strings.TrimSpace(heading))
			}
		case current != nil && trimmed == fence:
			all = append(all, *current)
			current = nil
		case current != nil:
			current.Text += strings.TrimPrefix(line, indent)
		}
	}
	if current != nil {
		return nil, nil, fmt.Errorf("line %d: the block has no end", current.Line)
	}
	return all, headings, nil
}
