// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/nflog-exporter/nflog_exporter/collector/namespace"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// TestFirewallFails checks what is said, how often, and how soon the rules are looked at again.
func TestFirewallFails(t *testing.T) {
	var logs bytes.Buffer
	f := newFirewall("blue", log.NewLogfmtLogger(&logs), func() {})
	for _, tt := range []struct {
		err    error
		wait   time.Duration
		reason string
		lines  int
	}{
		{nil, 0, "not read yet", 0},
		{fmt.Errorf("%w: %w", namespace.Err, syscall.ENOENT), namespaceRetry, "no such file", 0},
		{errors.New("broken"), retry, "broken", 1},
		{errors.New("broken"), retry, "broken", 1},
		{fmt.Errorf("open: %w", nflog.ErrPermission), hopelessRetry, "CAP_NET_ADMIN", 2},
		{fmt.Errorf("%w (%w)", ruleset.ErrUnsupported, syscall.EINVAL), hopelessRetry, "no nf_tables", 3},
	} {
		if wait := f.onFailed(tt.err); wait != tt.wait {
			t.Errorf("%v: waits for %v, want %v", tt.err, wait, tt.wait)
		}
		if got := f.currentReason(); !strings.Contains(got, tt.reason) {
			t.Errorf("%v: unexpected reason %q", tt.err, got)
		}
		if lines := strings.Count(logs.String(), "netns=blue"); lines != tt.lines {
			t.Errorf("%v: %d lines in the log, want %d: %q", tt.err, lines, tt.lines, logs.String())
		}
	}
}
