// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

const (
	tree  = "../.."
	chart = tree + "/deploy/helm/nflog-exporter"

	// patience is the timeout for things that should happen within seconds.
	patience = 20 * time.Second
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// must fails the test if there is an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
