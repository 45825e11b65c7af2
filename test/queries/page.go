// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"fmt"
	"strings"
)

// ofPage returns the queries of a page in Markdown, which are in its blocks of the language promql. Each line of a block
// begins a query, unless it is indented, begins with a bracket that closes, or is a comment.
func ofPage(name string, content []byte) ([]Query, error) {
	const fence = "```"
	var (
		all    []Query
		indent string
		begin  int // line of the block, 0 outside of one
		number int
	)
	for line := range strings.Lines(string(content)) {
		number++
		text := strings.TrimSpace(line)
		line = strings.TrimPrefix(line, indent)
		switch {
		case begin == 0 && text == fence+"promql":
			begin = number
			indent, _, _ = strings.Cut(line, fence)
		case begin == 0 || text == "" || strings.HasPrefix(text, "#"):
		case text == fence:
			begin, indent = 0, ""
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, ")"):
			if len(all) == 0 {
				return nil, fmt.Errorf("line %d: no query to continue", number)
			}
			all[len(all)-1].Expr += "\n" + strings.TrimRight(line, "\n")
		default:
			all = append(all, Query{Where: fmt.Sprintf("%s:%d", name, number), Kind: Instant, Expr: strings.TrimSpace(line)})
		}
	}
	if begin != 0 {
		return nil, fmt.Errorf("line %d: the block has no end", begin)
	}
	return all, nil
}
