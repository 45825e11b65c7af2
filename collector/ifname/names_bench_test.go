// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"fmt"
	"testing"
)

func BenchmarkName(b *testing.B) {
	links := newFakeLinks()
	in := newFakeNames(b, links)
	for index := range uint32(1000) {
		links.set(index+1, fmt.Sprintf("veth%08x", index))
		in.refresh(index+1, "")
	}
	b.ReportAllocs()
	for b.Loop() {
		in.Name(500)
	}
}
