// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
)

func TestWarnings(t *testing.T) {
	o, _, err := Parse([]string{
		"--collector.interface-pattern=veth.*=veth", "--collector.interface-pattern=cali*=cali",
		"--config.file=" + configFile(t, "prefix_rules:\n- match: 'fw *'\n"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, warnings, err := o.Load()
	if err != nil {
		t.Fatal(err)
	}
	for i := range warnings {
		warnings[i].Path = "nflog.yml"
	}
	var out bytes.Buffer
	LogWarnings(log.NewLogfmtLogger(&out), append(o.Warnings(), warnings...))
	want := `level=warn msg="--collector.interface-pattern=\"cali*=cali\": * repeats the character before it: write .* for any text"
level=warn msg="Configuration file: match=\"fw *\": * repeats the character before it: write .* for any text" file=nflog.yml line=2 column=10
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("unexpected log (-want +got):\n%s", diff)
	}
}
