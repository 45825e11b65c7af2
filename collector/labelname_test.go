// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestReservedLabels checks that prefix rules can't make labels that the collector's metrics have already.
func TestReservedLabels(t *testing.T) {
	names := append(LabelNames(), "job", "instance", "le", "quantile", "reason", "netns", "__address__")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			byGroup, _ := prefix.Rule{Match: fmt.Sprintf("(?P<%s>x)", name)}.Check(ReservedLabels())
			byLabel, _ := prefix.Rule{Match: "x", Labels: map[string]string{name: "x"}}.Check(ReservedLabels())
			if len(byGroup) != 1 || len(byLabel) != 1 {
				t.Errorf("mistakes: %v as group, %v as label", byGroup, byLabel)
			}
		})
	}
}
