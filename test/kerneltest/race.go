// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kerneltest

import (
	"runtime/debug"
	"slices"
)

// RaceEnabled reports whether the test binary was built with the race detector, which makes code some ten times as slow.
func RaceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
