// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/google/go-cmp/cmp"
)

func TestLoggersLogfmt(t *testing.T) {
	var out bytes.Buffer
	logger, slogger := New(&out, "info", "logfmt")
	level.Info(logger).Log("msg", "native line", "err", errors.New("broken"))
	level.Warn(log.With(logger, "group", 7)).Log("msg", "with context")
	slogger.Info("bridged line", "err", errors.New("broken"))
	slogger.With("group", 7).Warn("with context")

	const ts = `ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `
	want := []string{
		`^` + ts + `caller=logging_test\.go:\d+ level=info msg="native line" err=broken$`,
		`^` + ts + `caller=logging_test\.go:\d+ level=warn group=7 msg="with context"$`,
		`^` + ts + `level=info caller=logging_test\.go:\d+ msg="bridged line" err=broken$`,
		`^` + ts + `level=warn caller=logging_test\.go:\d+ msg="with context" group=7$`,
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("unexpected lines: got %q", got)
	}
	for i := range want {
		if !regexp.MustCompile(want[i]).MatchString(got[i]) {
			t.Errorf("unexpected line: got %s, want %s", got[i], want[i])
		}
	}
}

func TestLoggersJSON(t *testing.T) {
	var out bytes.Buffer
	logger, slogger := New(&out, "info", "json")
	level.Info(logger).Log("msg", "line")
	slogger.Info("line")

	dec := json.NewDecoder(&out)
	for range 2 {
		var line map[string]string
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"caller", "level", "msg", "ts"}, slices.Sorted(maps.Keys(line))); diff != "" {
			t.Errorf("unexpected keys (-want +got):\n%s", diff)
		}
		if line["level"] != "info" || line["msg"] != "line" {
			t.Errorf("unexpected line: %v", line)
		}
	}
	if dec.More() {
		t.Error("more lines than logged")
	}
}

func TestLoggersFilter(t *testing.T) {
	all := []string{"debug", "info", "warn", "error"}
	for i, minLevel := range all {
		t.Run(minLevel, func(t *testing.T) {
			var out bytes.Buffer
			logger, slogger := New(&out, minLevel, "logfmt")
			level.Debug(logger).Log("msg", "native")
			level.Info(logger).Log("msg", "native")
			level.Warn(logger).Log("msg", "native")
			level.Error(logger).Log("msg", "native")
			slogger.Debug("bridged")
			slogger.Info("bridged")
			slogger.Warn("bridged")
			slogger.Error("bridged")

			var want, got []string
			for _, by := range []string{"native", "bridged"} {
				for _, l := range all[i:] {
					want = append(want, l+" "+by)
				}
			}
			for _, m := range regexp.MustCompile(`level=(\w+) .*msg=(\w+)`).FindAllStringSubmatch(out.String(), -1) {
				got = append(got, m[1]+" "+m[2])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected lines (-want +got):\n%s", diff)
			}
		})
	}
}
