// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "dashboards: %v\n", err)
		os.Exit(1)
	}
}

// write writes one file for each dashboard into the folder.
func write(folder string) error {
	all, err := files()
	if err != nil {
		return err
	}
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files returns the JSON of the dashboards by file name.
func files() (map[string][]byte, error) {
	all := make(map[string][]byte)
	for name, d := range map[string]dashboard{
		"overview.json": overview(),
		"node.json":     node(),
		"health.json":   health(),
		"fleet.json":    fleet(),
	} {
		content, err := encode(d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = content
	}
	return all, nil
}

// encode returns a dashboard as indented JSON. The characters <, > and & are not escaped, so that queries stay readable.
func encode(d dashboard) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return buffer.Bytes(), err
}
