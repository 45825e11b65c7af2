// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package memory keeps the process within the memory of its control group.
package memory

import (
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// ratio is the part of the control group's memory that the Go runtime may use. The rest is for buffers in the kernel.
const ratio = 0.8

// Limit makes the runtime collect garbage before the process reaches the memory limit of its control group. GOMEMLIMIT takes
// precedence.
func Limit(logger log.Logger) {
	limit, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(ratio))
	switch {
	case err != nil:
		level.Debug(logger).Log("msg", "No memory limit is known", "err", err)
	case limit == 0:
		level.Debug(logger).Log("msg", "No memory limit to set", "GOMEMLIMIT", debug.SetMemoryLimit(-1))
	default:
		level.Info(logger).Log("msg", "Set the memory limit of the Go runtime from the control group", "GOMEMLIMIT", limit)
	}
}
