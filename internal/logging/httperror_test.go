// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/google/go-cmp/cmp"
)

func TestHTTPErrorLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := NewHTTPErrorLog(level.Error(log.NewLogfmtLogger(&out)))

		l.Println("first", 1)
		for range 1000 {
			l.Println("more")
		}
		time.Sleep(limitInterval - time.Nanosecond)
		l.Println("still too early")
		time.Sleep(time.Nanosecond)
		l.Println("two\nlines")
		time.Sleep(limitInterval)
		l.Println("last")

		want := "level=error msg=\"first 1\"\n" +
			"level=error msg=\"two\\nlines\" suppressed=1001\n" +
			"level=error msg=last\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("unexpected lines (-want +got):\n%s", diff)
		}
	})
}
