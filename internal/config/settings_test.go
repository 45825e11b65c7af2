// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	o, _, err := Parse([]string{
		"--nflog.group=100", "--nflog.group=7", "--nflog.copy-range=64B", "--no-collector.packet-size",
		"--collector.labels", "prefix,hook", "--web.listen-address=192.0.2.1:10100", "--log.level=debug",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got, defaults := make(map[string]string), make(map[string]string)
	for _, s := range o.Settings() {
		if s.Default {
			defaults[s.Name] = s.Value
		} else {
			got[s.Name] = s.Value
		}
		if strings.HasPrefix(s.Name, "--web.") {
			t.Errorf("%+v is shown, though it may name an address", s)
		}
	}
	want := map[string]string{
		"--nflog.group": "100, 7", "--nflog.copy-range": "64B", "--collector.packet-size": "false", "--collector.labels": "prefix,hook",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected settings (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"--nflog.socket-buffer": "16MiB", "--collector.idle-timeout": "0s", "--config.file": ""} {
		if got, ok := defaults[name]; !ok || got != want {
			t.Errorf("default of %s is %q, %v, want %q", name, got, ok, want)
		}
	}
}
