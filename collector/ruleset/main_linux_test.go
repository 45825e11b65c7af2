// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }
