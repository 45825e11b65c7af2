// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Docblocks extracts the code blocks of pages in Markdown, so that CI runs the commands that the documentation shows.
//
//	go run ./tools/docblocks -heading Install README.md    # prints the blocks under that heading
//	go run ./tools/docblocks -dir /tmp/blocks docs/*.md    # writes a file for each block, such as docs_page.md:42
//
// A block belongs to the heading right above it. Only blocks of the language sh count, unless -language names another.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// options select blocks and say where they go.
type options struct {
	heading  string // "" for all
	language string
	dir      string // "" to write them to standard output
}

func main() {
	var o options
	flag.StringVar(&o.heading, "heading", "", "take only the blocks under this `heading`")
	flag.StringVar(&o.language, "language", "sh", "take only blocks of this `language`")
	flag.StringVar(&o.dir, "dir", "", "write each block to a file in this `folder`, named by page and line")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: docblocks [FLAG]... PAGE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "docblocks: %v\n", err)
		os.Exit(1)
	}
}

func run(o options, pages []string, stdout io.Writer) error {
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		selected, err := o.selectBlocks(string(content))
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		for _, b := range selected {
			if err := o.write(page, b, stdout); err != nil {
				return err
			}
		}
	}
	return nil
}

// selectBlocks returns the blocks of a page that o selects. With a heading it is an error if there are none.
func (o options) selectBlocks(page string) ([]block, error) {
	all, headings, err := blocks(page)
	if err != nil {
		return nil, err
	}
	selected := slices.DeleteFunc(all, func(b block) bool {
		return b.Language != o.language || o.heading != "" && b.Heading != o.heading
	})
	switch {
	case o.heading == "" || len(selected) > 0:
		return selected, nil
	case !slices.Contains(headings, o.heading):
		return nil, fmt.Errorf("no heading %q, only %q", o.heading, headings)
	default:
		return nil, errors.New("no block of the language " + o.language + " under the heading " + o.heading)
	}
}

func (o options) write(page string, b block, stdout io.Writer) error {
	if o.dir == "" {
		_, err := io.WriteString(stdout, b.Text)
		return err
	}
	name := fmt.Sprintf("%s:%d", strings.ReplaceAll(filepath.ToSlash(page), "/", "_"), b.Line)
	return os.WriteFile(filepath.Join(o.dir, name), []byte(b.Text), 0o666)
}
